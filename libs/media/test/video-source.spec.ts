import { execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Ffmpeg } from '../src/index.ts';
import { ascending, assets, everyFfmpeg, record, temporaryFolder } from './support.ts';

const media = assets();
const folder = temporaryFolder();
let programs: Ffmpeg[] = [];
let ffmpeg: Ffmpeg;
/** 40 frames with B-frames, 160x90, 25 per second. */
const clip = join(folder.path, 'b-frames.mp4');
const silentServer = createServer(() => undefined);

beforeAll(async () => {
  programs = await everyFfmpeg();
  ffmpeg = programs[0]!;
  const make = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=1.6', '-c:v', 'libx264'];
  execFileSync(ffmpeg.path, [...make, '-preset', 'medium', '-pix_fmt', 'yuv420p', '-g', '20', '-y', clip]);
  silentServer.listen(0, '127.0.0.1');
  await once(silentServer, 'listening');
});

afterAll(() => {
  silentServer.close();
  folder.remove();
});

describe('a file', () => {
  test('gives every frame with its own time, equal to its packet, with every ffmpeg', async () => {
    for (const program of programs) {
      const { pictures, packets, states, streams } = await record({ url: clip, ffmpeg: program });
      const times = pictures.map((picture) => picture.ptsUs);
      expect(times).toEqual(Array.from({ length: 40 }, (_, index) => index * 40_000));
      expect(ascending(packets.map((packet) => packet.ptsUs))).toEqual(times);
      expect(packets.map((packet) => packet.ptsUs)).not.toEqual(times);
      expect(pictures.map((picture) => picture.sequence)).toEqual(times.map((_, index) => index));
      expect(pictures[10]!.captureTimeMs - pictures[0]!.captureTimeMs).toBe(400);
      expect(states.map((change) => change.state)).toEqual(['connecting', 'running', 'ended']);
      expect(streams).toEqual([
        {
          sourceWidth: 160,
          sourceHeight: 90,
          codec: 'h264',
          fps: 25,
          pictureWidth: 96,
          pictureHeight: 54,
          decoder: { by: 'software' },
        },
      ]);
    }
  });

  test('of a real camera gives the same times to pictures and packets', async () => {
    if (media === undefined) return;
    for (const [name, frames] of [
      ['o4n-people.mp4', 460],
      ['car-detection.mp4', 377],
    ] as const) {
      const { pictures, packets } = await record({ url: `file://${join(media, 'videos', name)}`, ffmpeg });
      expect(pictures.length).toBe(frames);
      expect(ascending(packets.map((packet) => packet.ptsUs))).toEqual(pictures.map((picture) => picture.ptsUs));
    }
  });

  test('hands over planes G, B, R of exactly the picture', async () => {
    const green = join(folder.path, 'green.mp4');
    const make = ['-v', 'error', '-f', 'lavfi', '-i', 'color=0x20c060:size=64x32:rate=5:duration=0.4'];
    execFileSync(ffmpeg.path, [...make, '-c:v', 'libx264', '-qp', '0', '-y', green]);
    const picture = { networkWidth: 32, networkHeight: 32, keepAspect: true };
    const means: number[] = [];
    const onPicture = ({ buffer }: { buffer: ArrayBuffer }): void => {
      expect(buffer.byteLength).toBe(32 * 16 * 3);
      for (let plane = 0; plane < 3; plane++) {
        const values = new Uint8Array(buffer, plane * 512, 512);
        means.push(Math.round(values.reduce((sum, value) => sum + value, 0) / 512));
      }
    };
    await record({ url: green, ffmpeg, picture, encoded: false, maxFrames: 1 }, { onPicture });
    expect(Math.abs(means[0]! - 0xc0)).toBeLessThan(4);
    expect(Math.abs(means[1]! - 0x60)).toBeLessThan(4);
    expect(Math.abs(means[2]! - 0x20)).toBeLessThan(4);
  });

  test('crops before it scales, clamped to the frame, and skips frames', async () => {
    const crop = { left: 80, top: 0, width: 500, height: 500 };
    const picture = { networkWidth: 40, networkHeight: 40, keepAspect: true, crop, everyNth: 4 };
    const { pictures, streams } = await record({ url: clip, ffmpeg, picture, encoded: false });
    expect(streams[0]).toMatchObject({ sourceWidth: 160, pictureWidth: 36, pictureHeight: 40 });
    expect(pictures.map(({ ptsUs }) => ptsUs)).toEqual(Array.from({ length: 10 }, (_, index) => index * 160_000));
  });

  test.each([
    [5, [0, 200, 400, 600, 800, 1000, 1200, 1400]],
    // Not 8.3 a second: 10 of 25 frames.
    [10, [0, 120, 200, 320, 400, 520, 600, 720, 800, 920, 1000, 1120, 1200, 1320, 1400, 1520]],
    [0.7, [0, 1440]],
    [200, Array.from({ length: 40 }, (_, index) => index * 40)],
  ])('chooses at most %f frames a second evenly, before they cost anything', async (maxFps, timesMs) => {
    const picture = { networkWidth: 40, networkHeight: 40, maxFps };
    for (const program of await everyFfmpeg()) {
      const { pictures, packets } = await record({ url: clip, ffmpeg: program, picture });
      expect(pictures.map(({ ptsUs }) => ptsUs / 1000)).toEqual(timesMs);
      expect(pictures.map(({ sequence }) => sequence)).toEqual(timesMs.map((_, index) => index));
      expect(packets).toHaveLength(40);
    }
  });

  test('the full picture alone, of the crop, into memory of its own', async () => {
    const crop = { left: 10, top: 0, width: 100, height: 90 };
    const shared: SharedArrayBuffer[] = [];
    const takeFullBuffer = (bytes: number): SharedArrayBuffer => shared[shared.push(new SharedArrayBuffer(bytes)) - 1]!;
    const picture = { full: true, crop };
    const { pictures, streams } = await record({ url: clip, ffmpeg, picture, encoded: false }, { takeFullBuffer });
    expect(streams[0]).toMatchObject({ sourceWidth: 160, pictureWidth: 100, pictureHeight: 90 });
    expect(pictures.map(({ full }) => full!.buffer)).toEqual(shared);
    expect(pictures[39]).toMatchObject({ ptsUs: 39 * 40_000, full: { width: 100, height: 90 } });
    expect(shared.map(({ byteLength }) => byteLength)).toEqual(Array(40).fill(100 * 90 * 3));
  });

  test('goes on in time and numbers when it loops', async () => {
    const until = ({ pictures }: { pictures: unknown[] }): boolean => pictures.length === 100;
    const { pictures: seen, packets, states } = await record({ url: clip, ffmpeg, loop: true }, {}, until);
    const pictures = seen.slice(0, 100); // one or two more may be on their way when it is stopped
    expect(pictures.map(({ ptsUs }) => ptsUs)).toEqual(Array.from({ length: 100 }, (_, index) => index * 40_000));
    expect(pictures.at(-1)!.sequence).toBe(99);
    const packetTimes = new Set(packets.map(({ ptsUs }) => ptsUs));
    expect(pictures.filter(({ ptsUs }) => !packetTimes.has(ptsUs))).toEqual([]);
    expect(states.map(({ state }) => state)).toEqual(['connecting', 'running']);
  });

  test('is paced when it shall be', async () => {
    const { pictures } = await record({ url: clip, ffmpeg, pace: 'realtime', encoded: false });
    const started = performance.now();
    const again = await record({ url: clip, ffmpeg, pace: 'realtime', encoded: false, maxFrames: 30 });
    expect(performance.now() - started).toBeGreaterThan(1000);
    expect([pictures.length, again.pictures.length]).toEqual([40, 30]);
    expect(again.states.at(-1)!.state).toBe('ended');
  });

  test('waits for a consumer that asks for it: never two pictures at once', async () => {
    let open = 0;
    let most = 0;
    const onPicture = async (): Promise<void> => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
    };
    const picture = { networkWidth: 16, networkHeight: 16, keepAspect: false };
    const { pictures } = await record({ url: clip, ffmpeg, picture, encoded: false }, { onPicture });
    expect([most, pictures.length]).toEqual([1, 40]);
  });

  test('takes buffers from the pool', async () => {
    const sizes: number[] = [];
    const takeBuffer = (bytes: number): ArrayBuffer => new ArrayBuffer(sizes.push(bytes) && bytes);
    await record({ url: clip, ffmpeg, maxFrames: 3 }, { takeBuffer });
    expect(sizes.slice(0, 3)).toEqual([96 * 54 * 3, 96 * 54 * 3, 96 * 54 * 3]);
  });
});

describe('bad input says why, and no more', () => {
  const cases: [string, () => string, RegExp][] = [
    ['a missing file', () => join(folder.path, 'nothing.mp4'), /there is no file .*nothing\.mp4/],
    ['a folder', () => folder.path, /is a folder/],
    ['an empty file', () => written('empty.mp4', ''), /is empty/],
    ['a web page', () => written('page.mp4', '<!DOCTYPE html><html></html>'), /is a web page, not a video/],
    ['noise', () => written('noise.mp4', 'no video in here '.repeat(50)), /Invalid data/],
    ['a refused connection', () => 'rtsp://admin:pa55word@127.0.0.1:1/live', /^rtsp:\/\/\*\*\*@.*Connection refused/],
  ];
  function written(name: string, text: string): string {
    writeFileSync(join(folder.path, name), text);
    return join(folder.path, name);
  }

  test.each(cases)('%s', async (_name, url, reason) => {
    const { states } = await record({ url: url(), ffmpeg });
    expect(states.map(({ state }) => state)).toEqual(['connecting', 'failed']);
    expect(states[1]!.reason).toMatch(reason);
    expect(states[1]!.reason).not.toMatch(/pa55word|admin/);
  });

  test('a Git LFS pointer', async () => {
    if (media === undefined) return;
    const { states } = await record({ url: join(media, 'negative/lfs-pointer.mp4'), ffmpeg });
    expect(states.at(-1)!.reason).toMatch(/Git LFS pointer/);
  });

  test('a server that never answers, with every ffmpeg', async () => {
    const url = `rtsp://127.0.0.1:${(silentServer.address() as AddressInfo).port}/x`;
    for (const program of programs) {
      const { states } = await record({ url, ffmpeg: program, connectTimeoutMs: 400 });
      expect(states.at(-1)).toMatchObject({ state: 'failed', reason: 'no frame within 400 ms' });
    }
  });

  test('tries again, counting, until it is stopped', async () => {
    const until = ({ states }: { states: unknown[] }): boolean => states.length === 4;
    const reconnect = { baseMs: 5, capMs: 10 };
    const { states } = await record({ url: join(folder.path, 'nothing.mp4'), ffmpeg, reconnect }, {}, until);
    expect(states.map(({ state, attempt }) => `${state} ${attempt}`)).toEqual([
      'connecting 0',
      'reconnecting 1',
      'reconnecting 2',
      'reconnecting 3',
    ]);
  });
});
