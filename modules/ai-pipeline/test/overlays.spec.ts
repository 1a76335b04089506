import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClipDocument, Inference } from '@vantage/contracts';
import { resolveFfmpeg, type Ffmpeg } from '@vantage/media';
import { ClipFrames } from '../src/overlay/clip-frames.ts';
import { OverlayRenderer } from '../src/overlay/overlay-renderer.ts';
import { overlayPath, renderOverlay } from '../src/overlay/render-overlay.ts';

const WIDTH = 160;
const HEIGHT = 96;
const FRAMES = 40;
const START_MS = Date.UTC(2026, 10, 20, 12);
const folder = mkdtempSync(path.join(tmpdir(), 'vantage-overlay-'));
const never = new AbortController().signal;
let ffmpeg: Ffmpeg;

beforeAll(async () => {
  ffmpeg = await resolveFfmpeg();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A grey clip with B-frames, at a rate whose frame times are no whole milliseconds. */
function clip(name: string): string {
  const file = path.join(folder, name);
  const grey = [
    '-f',
    'lavfi',
    '-i',
    `color=0x808080:size=${WIDTH}x${HEIGHT}:rate=30000/1001`,
    '-frames:v',
    `${FRAMES}`,
  ];
  execFileSync(ffmpeg.path, ['-v', 'error', ...grey, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-y', `file:${file}`]);
  return file;
}

/** A box that moves two pixels to the right with each frame. */
function document(file: string, more: (frame: number) => Inference[] = () => []): ClipDocument {
  const inferences = Array.from({ length: FRAMES }, (_, frame) => {
    const timestamp = new Date(START_MS + Math.round((frame * 1001) / 30)).toISOString();
    const sourceInfo = { id: 'gate', timestamp, width: WIDTH, height: HEIGHT, frameId: frame };
    const detection = {
      ...{ classId: 0, confidence: 0.9, label: 'a', id: `${frame}`, unique_component_id: 1, tracking_id: 4 },
      rect: [(2 * frame) / WIDTH, 0.5, 0.25, 0.25] as [number, number, number, number],
    };
    return [...more(frame), { sourceInfo, type: 'detection', id: 'Gate', detections: [detection] } satisfies Inference];
  }).flat();
  const region = {
    label: '',
    color: '#ff0000',
    sensor: 'gate',
    coordinates: [
      [0.5, 0.9],
      [0.9, 0.9],
    ] as [number, number][],
  };
  const made = { schemaVersion: '0.1', events: [], regionsOfInterest: [region], inferences };
  writeFileSync(file.replace('.mp4', '.json'), JSON.stringify(made));
  return made;
}

/** All pictures of a clip, as rows of which colour stands where. */
function pictures(file: string): string[][] {
  const raw = ['-vf', 'settb=1/30,setpts=N', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const bytes = execFileSync(ffmpeg.path, ['-v', 'error', '-i', `file:${file}`, ...raw], { maxBuffer: 1 << 28 });
  const area = WIDTH * HEIGHT * 3;
  return Array.from({ length: bytes.length / area }, (_, at) => rowsOf(bytes.subarray(at * area, (at + 1) * area)));
}

function rowsOf(pixels: Uint8Array): string[] {
  return Array.from({ length: HEIGHT }, (_, y) =>
    Array.from({ length: WIDTH }, (_, x) => {
      const [red = 0, green = 0, blue = 0] = pixels.subarray((y * WIDTH + x) * 3, (y * WIDTH + x) * 3 + 3);
      if (green > red + 60 && green > blue + 60) return 'g';
      return red > green + 60 && red > blue + 60 ? 'r' : '.';
    }).join(''),
  );
}

describe('a clip with overlays', () => {
  test('every frame has its own boxes, at its own time; the clip itself stays as it is', async () => {
    const file = clip('gate-2026-11-20-12:00:00.mp4');
    document(file);
    const before = readFileSync(file);
    const result = await renderOverlay({ ffmpeg, clip: file }, never);
    expect(result).toMatchObject({ path: overlayPath(file), frames: FRAMES, dropped: 0 });
    expect(path.basename(result.path)).toBe('gate-2026-11-20-12:00:00.overlay.mp4');
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(result.lastPtsUs - result.firstPtsUs).toBeCloseTo(((FRAMES - 1) * 1001e6) / 30000, -1);
    const shown = pictures(result.path);
    expect(shown).toHaveLength(FRAMES);
    // The box reaches from 48 to 72 and is 40 wide: in its rows are its left and right edges, and nothing else.
    for (const [frame, rows] of shown.entries()) {
      const row = rows[64]!;
      expect(
        [row.indexOf('g'), row.lastIndexOf('g')].map(
          (x, side) => Math.abs(x - (2 * frame + (side === 0 ? 0 : 39))) <= 1,
        ),
      ).toEqual([true, true]);
      expect(row.slice(2 * frame + 6, 2 * frame + 34)).toBe('.'.repeat(28));
    }
    // The region's line.
    expect(shown[0]![86]!.slice(85, 140)).toBe('r'.repeat(55));
  }, 30_000);

  test('maps of classes, and what is said of the whole frame', async () => {
    const file = clip('map.mp4');
    const head = { sourceInfo: { id: 'gate', timestamp: '', width: WIDTH, height: HEIGHT, frameId: 0 }, id: 'Gate' };
    document(file, () => [
      { ...head, type: 'classification', detections: [{ classId: 1, confidence: 0.5, label: 'night' }] },
      { ...head, type: 'custom', detections: ['whatever'] },
      {
        ...head,
        type: 'segmentation',
        detections: [{ nClasses: 9, width: 2, height: 1, classMap: [-1, 8], labels: [] }],
      },
    ]);
    const { path: made } = await renderOverlay({ ffmpeg, clip: file }, never);
    const [first] = pictures(made);
    // Class 8 has the colour of class 0, on the right half.
    expect([first![20]!.slice(0, 76), first![20]!.slice(84)]).toEqual(['.'.repeat(76), 'g'.repeat(76)]);
    const frames = new ClipFrames(JSON.parse(readFileSync(file.replace('.mp4', '.json'), 'utf8')) as ClipDocument);
    expect([frames.count, frames.at(0)?.lines]).toEqual([FRAMES, ['night 50%']]);
  }, 30_000);

  test('is made on a thread of its own, one after the other; what fails is told and stops nothing', async () => {
    const problems: string[] = [];
    const rendered: string[] = [];
    const done = Promise.withResolvers<undefined>();
    const renderer = new OverlayRenderer({
      ffmpeg,
      onRendered: (made) => {
        rendered.push(path.basename(made));
        if (rendered.length === 2) done.resolve(undefined);
      },
      onProblem: (pipeline, message) => problems.push(`${pipeline}: ${message}`),
    });
    const [first, second, bare, broken] = [
      clip('1.mp4'),
      clip('2.mp4'),
      clip('bare.mp4'),
      path.join(folder, 'broken.mp4'),
    ];
    for (const file of [first, second, broken]) document(file);
    writeFileSync(broken, 'no video');
    for (const file of [first, bare, broken, second]) renderer.add('Gate', file);
    await done.promise;
    await renderer.stop();
    expect(rendered).toEqual(['1.overlay.mp4', '2.overlay.mp4']);
    expect(problems).toEqual([
      expect.stringMatching(/^Gate: bare\.mp4 has no clip with overlays: ENOENT/),
      expect.stringMatching(/^Gate: broken\.mp4 has no clip with overlays: ./),
    ]);
  }, 60_000);

  test('more than can wait lose their overlays, the oldest first; a stop leaves nothing half done', async () => {
    const problems: string[] = [];
    const onProblem = (_pipeline: string, message: string): void => void problems.push(message);
    const renderer = new OverlayRenderer({ ffmpeg, capacity: 2, onProblem });
    const file = clip('stopped.mp4');
    document(file);
    for (const name of ['stopped.mp4', 'b.mp4', 'c.mp4', 'd.mp4']) renderer.add('Gate', path.join(folder, name));
    expect(problems).toEqual(['b.mp4 has no clip with overlays: clips come faster than they can be encoded']);
    await renderer.stop();
    await renderer.stop();
    renderer.add('Gate', file);
    expect(renderer.waiting).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('.') || name.startsWith('stopped.o'))).toEqual([]);
  }, 30_000);
});
