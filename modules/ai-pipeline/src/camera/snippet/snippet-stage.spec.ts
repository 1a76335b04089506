import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { removeStaleClips, resolveFfmpeg, type Ffmpeg } from '@vantage/media';
import type { FrameObject, SnippetNode } from '@vantage/skill';
import { PicturePool } from '../graph/shared-picture.ts';
import type { CameraFrame } from '../graph/stage.ts';
import type { ClipReport } from '../protocol.ts';
import { snippetPath } from './snippet-path.ts';
import { SnippetStage } from './snippet-stage.ts';

const WIDTH = 96;
const HEIGHT = 64;
const START_MS = Date.UTC(2026, 10, 20, 20, 43, 15, 829);
const NODE: SnippetNode = {
  ...{ kind: 'snippet', id: 'snip', prefix: 'my prefix', durationSeconds: 10, everyMinutes: 1, overlay: true },
  ...{ instance: 'dep A', skill: 'skill B', device: 'cam C' },
};
const CAR: FrameObject = {
  ...{ classId: 0, label: 'car', confidence: 0.9, trackingId: 3, componentId: 1 },
  attributes: [{ name: 'colour', label: 'red', classId: 0, confidence: 0.7, componentId: 2 }],
  box: { left: 20, top: 30, width: 40, height: 20 },
};

const pool = new PicturePool();
let ffmpeg: Ffmpeg;
let folder: string;
let clips: ClipReport[];
let problems: { code: string; message: string }[];

beforeAll(async () => {
  ffmpeg = await resolveFfmpeg();
});
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'vantage-snippet-'));
  clips = [];
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function stage(node: Partial<SnippetNode> = {}, program = ffmpeg): SnippetStage {
  return new SnippetStage({
    node: { ...NODE, ...node },
    ...{ sensor: 'gate', folder, ffmpeg: program },
    onClip: (clip) => clips.push(clip),
    onProblem: (code, message) => problems.push({ code, message }),
  });
}

/** A grey picture. */
function frame(seconds: number, objects: readonly FrameObject[] = [CAR], width = WIDTH, height = HEIGHT): CameraFrame {
  const planes = pool.take(3 * width * height);
  new Uint8Array(planes).fill(100);
  const view = { left: 0, top: 0, width: WIDTH, height: HEIGHT };
  return {
    insights: {
      ...{ sensor: 'gate', frameId: Math.round(seconds * 5), ptsUs: Math.round(seconds * 1e6) },
      ...{ captureTimeMs: START_MS + seconds * 1000, width: WIDTH, height: HEIGHT, detections: objects },
    },
    picture: pool.fromPlanes(planes, width, height, view),
  };
}

async function play(to: SnippetStage, frames: Iterable<CameraFrame>): Promise<void> {
  for (const each of frames) {
    expect(await to.process(each)).toBe(each);
    each.picture?.release();
  }
}

function* from(
  begin: number,
  end: number,
  objects?: (seconds: number) => readonly FrameObject[],
): Generator<CameraFrame> {
  for (let at = begin * 5; at <= end * 5; at += 1) yield frame(at / 5, objects?.(at / 5));
}

/** The colours of pixels in the first picture of a clip. */
function colours(file: string, places: readonly (readonly [x: number, y: number])[], width = WIDTH): number[][] {
  const raw = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const pixels = execFileSync(ffmpeg.path, ['-v', 'error', '-i', file, ...raw]);
  return places.map(([x, y]) => [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)]);
}

const isRed = ([red = 0, green = 0, blue = 0]: number[]): boolean => red > 190 && green < 60 && blue < 60;
const isGrey = (colour: number[]): boolean => colour.every((one) => Math.abs(one - 100) < 12);

describe('a snippet (contract custom-node-and-skills H 22)', () => {
  test('an object in sight for 130 s gives three of 10 s, a minute from start to start, newest first by name', async () => {
    const snippets = stage();
    await play(snippets, from(0, 130));
    await snippets.stop();
    expect(problems).toEqual([]);
    expect(clips.map(({ sensor, frames, seconds, objects }) => ({ sensor, frames, seconds, objects }))).toEqual([
      { sensor: 'gate', frames: 51, seconds: 10, objects: 51 },
      { sensor: 'gate', frames: 51, seconds: 10, objects: 51 },
      { sensor: 'gate', frames: 51, seconds: 10, objects: 51 },
    ]);
    const below = path.join(folder, 'video-snippet/dep A/skill B/cam C');
    const names = readdirSync(below).sort();
    expect(names).toEqual([
      'my prefix-2307208484171-2026-11-20T20:45:15.829000.mp4',
      'my prefix-2307208544171-2026-11-20T20:44:15.829000.mp4',
      'my prefix-2307208604171-2026-11-20T20:43:15.829000.mp4',
    ]);
    expect(clips.map((clip) => path.basename(clip.path))).toEqual(names.reverse());
    expect(readdirSync(folder)).toEqual(['video-snippet']);
  });

  test('it begins with the frame that has an object, and holds those without one, too', async () => {
    const snippets = stage({ durationSeconds: 2 });
    await play(
      snippets,
      from(0, 8, (seconds) => (seconds === 3 ? [CAR] : [])),
    );
    await snippets.stop();
    expect(clips.map(({ frames, seconds, objects }) => [frames, seconds, objects])).toEqual([[11, 2, 1]]);
    expect(path.basename(clips[0]!.path)).toContain('2026-11-20T20:43:18.829000');
  });

  test('no object, no snippet; no picture, no snippet', async () => {
    const snippets = stage();
    await play(
      snippets,
      from(0, 30, () => []),
    );
    await play(snippets, [{ insights: frame(31).insights }]);
    await snippets.stop();
    expect([clips, problems, readdirSync(folder)]).toEqual([[], [], []]);
  });

  test('the overlay is red where the box is, and nowhere without it', async () => {
    for (const overlay of [true, false]) {
      const snippets = stage({ overlay, durationSeconds: 1 });
      await play(snippets, from(0, 1));
      await snippets.stop();
    }
    const [on, off] = clips as [ClipReport, ClipReport];
    // Three on the edges, one on the title's bar; then the middle of the box and the rest of the picture.
    const red = [
      [20, 40],
      [59, 40],
      [40, 49],
      [21, 21],
    ] as const;
    const grey = [
      [40, 40],
      [5, 60],
      [80, 60],
    ] as const;
    expect(colours(on.path, red).map(isRed)).toEqual([true, true, true, true]);
    expect(colours(on.path, grey).map(isGrey)).toEqual([true, true, true]);
    expect(colours(off.path, [...red, ...grey]).every(isGrey)).toBe(true);
  });

  test('the boxes fit where the picture shows a part of the frame at another size', async () => {
    const snippets = stage({ durationSeconds: 1 });
    const one = frame(0, [CAR], 40, 40);
    const view = { left: 40, top: 20, width: 20, height: 20 };
    await play(snippets, [{ ...one, picture: { ...plain(one), view } }]);
    await snippets.stop();
    // The right edge of the box lies at 60, the end of the view; its top 10 below the view's, twice as large.
    const [edge, inside] = colours(
      clips[0]!.path,
      [
        [38, 35],
        [20, 35],
      ],
      40,
    );
    expect([isRed(edge!), isGrey(inside!)]).toEqual([true, true]);
  });

  test('another size of pictures, a reset and a stop end what is recorded', async () => {
    const snippets = stage({ durationSeconds: 100, everyMinutes: 0.1 });
    await play(snippets, from(0, 2));
    await play(snippets, [frame(3, [CAR], 48, 32), frame(7, [CAR], 48, 32), frame(8, [CAR], 48, 32)]);
    snippets.reset();
    await play(snippets, from(20, 21));
    await snippets.stop();
    await snippets.stop();
    expect(clips.map(({ frames }) => frames)).toEqual([11, 2, 6]);
    expect(problems).toEqual([]);
  });
});

describe('what goes wrong', () => {
  /** Answers for its encoders, and fails while a file says so. */
  function moody(): { program: Ffmpeg; fail: (on: boolean) => void } {
    const file = path.join(folder, 'moody.sh');
    const flag = path.join(folder, 'fails');
    writeFileSync(
      file,
      `#!/bin/sh\ncase "$*" in *-encoders*) ;; *) [ -e '${flag}' ] && { echo '[error] disk full' >&2; exit 1; };; esac\nexec ${ffmpeg.path} "$@"\n`,
    );
    chmodSync(file, 0o755);
    return {
      program: { ...ffmpeg, path: file },
      fail: (on) => (on ? writeFileSync(flag, '') : rmSync(flag)),
    };
  }

  test('a snippet that fails is told, and the next one is made in its turn', async () => {
    const { program, fail } = moody();
    fail(true);
    const snippets = stage({ durationSeconds: 2 }, program);
    await play(snippets, from(0, 5));
    // The stage hears of it when it hands over the next picture, or when it closes the file.
    await play(snippets, from(5, 59));
    fail(false);
    await play(snippets, from(59, 70));
    await snippets.stop();
    expect(problems).toEqual([
      { code: 'SNIPPET_FAILED', message: 'snip: a snippet of gate was lost, the next one in 1 min: disk full' },
    ]);
    expect(clips.map(({ frames, seconds }) => [frames, seconds])).toEqual([[11, 2]]);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a folder that cannot be written', async () => {
    writeFileSync(path.join(folder, 'video-snippet'), 'a file');
    const snippets = stage();
    await play(snippets, from(0, 3));
    await snippets.stop();
    expect(problems).toMatchObject([{ code: 'SNIPPET_FAILED' }]);
    expect(clips).toEqual([]);
  });

  test('a time that steps back starts anew; what lies unfinished is removed at the next start', async () => {
    const snippets = stage({ durationSeconds: 1 });
    await play(snippets, from(500, 500.4));
    await play(snippets, from(3, 5));
    await snippets.stop();
    expect(clips.map(({ frames }) => frames)).toEqual([3, 6]);
    writeFileSync(path.join(folder, '.vantage-clip-a.mp4.00.tmp'), '');
    expect(await removeStaleClips(folder)).toBe(1);
  });
});

test.each<[object, string]>([
  [{}, 'video-snippet/i/s/d/p-2307208604171-2026-11-20T20:43:15.829000.mp4'],
  [{ instance: '../..', skill: '/etc', device: '..' }, 'video-snippet/___/_etc/_/'],
  [{ instance: 'a/../b', skill: 'c\\d', device: 'e\u0000f\n' }, 'video-snippet/a_.._b/c_d/e_f_/'],
  [{ instance: '', skill: '  ', device: '.hidden', prefix: '' }, 'video-snippet/instance/skill/_hidden/snippet-'],
  [{ prefix: '../../x' }, 'video-snippet/i/s/d/__.._x-'],
  [{ prefix: 'x'.repeat(5000), device: '車'.repeat(500) }, `video-snippet/i/s/${'車'.repeat(60)}/${'x'.repeat(60)}-`],
])('a name stays in its folder: case %#', (change, wanted) => {
  const name = snippetPath({ instance: 'i', skill: 's', device: 'd', prefix: 'p', ...change }, START_MS);
  expect(name.startsWith(wanted)).toBe(true);
  expect(path.join('/clips', name).startsWith('/clips/video-snippet/')).toBe(true);
  expect(name.split('/')).toHaveLength(5);
  expect(existsSync(name)).toBe(false);
});

function plain({ picture }: CameraFrame): NonNullable<CameraFrame['picture']> {
  const whole = picture!;
  return {
    ...{ width: whole.width, height: whole.height, view: whole.view },
    planes: () => whole.planes(),
    packed: () => whole.packed(),
    packInto: (target: Uint8Array) => whole.packInto(target),
    retain: () => whole.retain(),
    release: () => whole.release(),
  };
}
