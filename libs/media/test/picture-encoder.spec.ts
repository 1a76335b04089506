import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  PictureEncoder,
  PictureFeed,
  findVideoEncoder,
  removeStaleClips,
  type Ffmpeg,
  type RawFormat,
} from '../src/index.ts';
import { everyFfmpeg, probedTimesUs, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
let programs: Ffmpeg[] = [];
let ffmpeg: Ffmpeg;

beforeAll(async () => {
  programs = await everyFfmpeg();
  ffmpeg = programs[0]!;
});
afterAll(() => folder.remove());

const WIDTH = 64;
const HEIGHT = 48;
/** Red on the left, blue on the right. */
const halves: Record<RawFormat, () => Uint8Array> = {
  rgb24: () => packed([255, 0, 0], [0, 0, 255]),
  bgr24: () => packed([0, 0, 255], [255, 0, 0]),
  gbrp: () => planes([0, 0], [0, 255], [255, 0]),
  yuv420p: () =>
    planes([81, 41])
      .slice(0, WIDTH * HEIGHT * 1.5)
      .map((byte, at) => (at < WIDTH * HEIGHT ? byte : chroma(at))),
};

function packed(left: number[], right: number[]): Uint8Array {
  return Uint8Array.from(
    { length: WIDTH * HEIGHT * 3 },
    (_, at) => (isLeft(Math.floor(at / 3)) ? left : right)[at % 3]!,
  );
}

function planes(...values: number[][]): Uint8Array {
  const area = WIDTH * HEIGHT;
  return Uint8Array.from(
    { length: area * 3 },
    (_, at) => (values[Math.floor(at / area)] ?? [0, 0])[isLeft(at) ? 0 : 1]!,
  );
}

function chroma(at: number): number {
  const area = WIDTH * HEIGHT;
  const isU = at < area * 1.25;
  const left = at % (WIDTH / 2) < WIDTH / 4;
  return isU ? (left ? 90 : 240) : left ? 240 : 110;
}

function isLeft(at: number): boolean {
  return at % WIDTH < WIDTH / 2;
}

function open(name: string, change: Partial<Parameters<typeof PictureEncoder.open>[0]> = {}): Promise<PictureEncoder> {
  const size = { format: 'rgb24', width: WIDTH, height: HEIGHT } as const;
  return PictureEncoder.open({ ffmpeg, path: join(folder.path, name), ...size, ...change });
}

/** Pixels of the first picture of a clip. */
function decoded(path: string): (x: number, y: number) => number[] {
  const pixels = execFileSync(ffmpeg.path, [
    ...['-v', 'error', '-i', path, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ]);
  return (x, y) => [...pixels.subarray((y * WIDTH + x) * 3, (y * WIDTH + x) * 3 + 3)];
}

/** Pictures that a player shows. */
function decodedCount(path: string): number {
  const args = [
    '-v',
    'error',
    '-i',
    path,
    '-vf',
    'settb=1/25,setpts=N,scale=1:1',
    '-vsync',
    'passthrough',
    '-f',
    'rawvideo',
  ];
  return execFileSync(ffmpeg.path, [...args, '-pix_fmt', 'gray', 'pipe:1'], { stdio: ['ignore', 'pipe', 'ignore'] })
    .length;
}

const near = (colour: number[], wanted: number[]): boolean =>
  colour.every((one, at) => Math.abs(one - wanted[at]!) < 12);
const hidden = (): string[] => readdirSync(folder.path).filter((name) => name.startsWith('.'));

/** A program that answers the question for its encoders, and does something else with pictures. */
function program(name: string, encoders: string, otherwise: string): Ffmpeg {
  const path = join(folder.path, name);
  writeFileSync(path, `#!/bin/sh\ncase "$*" in *-encoders*) ${encoders};; *) ${otherwise};; esac\n`);
  chmodSync(path, 0o755);
  return { ...ffmpeg, path };
}

describe('a clip of pictures', () => {
  test('has each of them at its own time, with every ffmpeg', async () => {
    const times = [5_000_000, 5_033_367, 5_040_000, 5_500_000, 5_500_100, 9_000_000, 9_000_050];
    for (const [at, each] of programs.entries()) {
      const encoder = await open(`times-${at}.mp4`, { ffmpeg: each });
      for (const ptsUs of times) expect(await encoder.write({ ptsUs, data: halves.rgb24() })).toBe(true);
      const clip = await encoder.close();
      expect(clip).toMatchObject({ frames: 7, dropped: 0, firstPtsUs: 5_000_000, lastPtsUs: 9_000_050 });
      const probed = probedTimesUs(clip.path, ffmpeg)!;
      expect(probed.length).toBe(times.length);
      expect(decodedCount(clip.path)).toBe(times.length);
      for (const [index, time] of times.entries())
        expect(Math.abs(probed[index]! - (time - times[0]!))).toBeLessThan(20);
    }
    expect(hidden()).toEqual([]);
  });

  test.each(['rgb24', 'bgr24', 'gbrp', 'yuv420p'] as const)('has the colours of %s', async (format) => {
    const encoder = await open(`${format}.mp4`, { format });
    await encoder.write({ ptsUs: 0, data: halves[format]() });
    await encoder.write({ ptsUs: 40_000, data: halves[format]() });
    const at = decoded((await encoder.close()).path);
    expect(
      [at(10, 20), at(50, 20)].map((colour, side) => near(colour, side === 0 ? [255, 0, 0] : [0, 0, 255])),
    ).toEqual([true, true]);
  });

  test('may have odd sides, and one picture only', async () => {
    for (const program of programs) {
      const encoder = await open(`odd-${programs.indexOf(program)}.mp4`, { ffmpeg: program, width: 33, height: 17 });
      await encoder.write({ ptsUs: 7, data: new Uint8Array(33 * 17 * 3) });
      const { path, frames } = await encoder.close();
      expect([frames, decodedCount(path)]).toEqual([1, 1]);
      const raw = ['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
      const grey = execFileSync(ffmpeg.path, ['-v', 'error', '-i', path, ...raw]);
      expect(grey.length).toBe(34 * 18);
    }
  });

  test('takes a free name, and makes its folder', async () => {
    const names: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      const encoder = await open('a/b/same.mp4', { temporaryFolder: folder.path });
      await encoder.write({ ptsUs: 0, data: halves.rgb24() });
      names.push((await encoder.close()).path);
    }
    expect(names).toEqual(['same.mp4', 'same-2.mp4', 'same-3.mp4'].map((name) => join(folder.path, 'a/b', name)));
  });

  test('is MPEG-4 part 2 where ffmpeg has no encoder for H.264', async () => {
    const poor = program('poor', `${ffmpeg.path} -hide_banner -encoders | grep -v 264`, `exec ${ffmpeg.path} "$@"`);
    expect(await findVideoEncoder(poor)).toMatchObject({ name: 'mpeg4' });
    const encoder = await open('poor.mp4', { ffmpeg: poor });
    expect(encoder.encoder).toBe('mpeg4');
    for (const ptsUs of [0, 33_367, 100_000]) await encoder.write({ ptsUs, data: halves.rgb24() });
    const { path } = await encoder.close();
    expect(probedTimesUs(path, ffmpeg)).toHaveLength(3);
    expect(near(decoded(path)(10, 20), [255, 0, 0])).toBe(true);
  });
});

describe('what goes wrong', () => {
  test('pictures that come faster than they are taken are refused and counted, never piled up', async () => {
    const encoder = await open('fast.mp4');
    const data = halves.rgb24();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => encoder.write({ ptsUs: at, data })));
    const taken = answers.filter(Boolean).length;
    expect(taken).toBe(3);
    expect(await encoder.close()).toMatchObject({ frames: 3, dropped: 47 });
  });

  test('a time that does not grow, and bytes that are no picture, are refused', async () => {
    const encoder = await open('refused.mp4');
    const data = halves.rgb24();
    const answers: boolean[] = [];
    for (const ptsUs of [100, 100, 50, Number.NaN, 200]) answers.push(await encoder.write({ ptsUs, data }));
    answers.push(await encoder.write({ ptsUs: 300, data: data.subarray(1) }));
    expect(answers).toEqual([true, false, false, false, true, false]);
    expect(await encoder.close()).toMatchObject({ frames: 2, dropped: 4 });
    expect(await encoder.write({ ptsUs: 400, data })).toBe(false);
  });

  test('an ffmpeg that ends in the middle is a failure with its reason; nothing is left', async () => {
    const broken = program('broken', 'echo " V..... libx264 x"', 'echo "[error] no space left" >&2; exit 1');
    const encoder = await open('broken.mp4', { ffmpeg: broken });
    const data = halves.rgb24();
    let ptsUs = 0;
    while (await encoder.write({ ptsUs: (ptsUs += 1), data })) await new Promise((resolve) => setImmediate(resolve));
    await expect(encoder.close()).rejects.toMatchObject({ code: 'MEDIA_CLIP_FAILED', message: 'no space left' });
    expect(encoder.failure).toBe('no space left');
    expect(existsSync(join(folder.path, 'broken.mp4'))).toBe(false);
    expect(hidden()).toEqual([]);
  });

  test('an ffmpeg that takes nothing is given up', async () => {
    const deaf = program('deaf', 'true', 'exec sleep 60');
    const size = { format: 'rgb24', width: 1000, height: 1000 } as const;
    const feed = new PictureFeed({ ffmpeg: deaf, ...size, output: [], stallTimeoutMs: 100 });
    expect(await feed.write({ ptsUs: 0, data: new Uint8Array(3_000_000) })).toBe(false);
    expect(await feed.end()).toBe('ffmpeg took no picture for 100 ms');
  });

  test('a program that is not there, or has no encoder', async () => {
    const missing = { ...ffmpeg, path: join(folder.path, 'no-such-program') };
    const wanted = { code: 'MEDIA_ENCODER_MISSING' };
    await expect(open('x.mp4', { ffmpeg: missing })).rejects.toMatchObject(wanted);
    await expect(open('x.mp4', { ffmpeg: program('bare', 'echo " V..... png x"', 'false') })).rejects.toMatchObject(
      wanted,
    );
  });

  test('a folder that cannot be made, a clip without pictures, one that is given up', async () => {
    await expect(open('poor/x.mp4')).rejects.toMatchObject({ code: 'MEDIA_CLIP_FAILED' });
    await expect((await open('empty.mp4')).close()).rejects.toMatchObject({ code: 'MEDIA_CLIP_FAILED' });
    const encoder = await open('aborted.mp4');
    await encoder.write({ ptsUs: 0, data: halves.rgb24() });
    await encoder.abort();
    await encoder.abort();
    expect(readdirSync(folder.path)).not.toContain('aborted.mp4');
    expect(await removeStaleClips(folder.path)).toBe(0);
  });
});
