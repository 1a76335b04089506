import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { resolveFfmpeg, type Ffmpeg } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import { drawDetections } from './draw.ts';

const folder = mkdtempSync(join(tmpdir(), 'vantage-draw-'));
const input = join(folder, 'grey.png');
let ffmpeg: Ffmpeg;

const frame: FrameInsights = {
  ...{ sensor: 'a', frameId: 0, ptsUs: 0, captureTimeMs: 0, width: 64, height: 48 },
  detections: [
    {
      ...{ classId: 1, label: 'car', confidence: 0.9, trackingId: -1, componentId: 1, attributes: [] },
      box: { left: 10, top: 20, width: 30, height: 20 },
    },
  ],
};

beforeAll(async () => {
  ffmpeg = await resolveFfmpeg();
  const grey = ['-f', 'lavfi', '-i', 'color=0x808080:size=64x48', '-frames:v', '1'];
  execFileSync(ffmpeg.path, ['-v', 'error', ...grey, input]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the picture of a frame with its boxes is written as a PNG', async () => {
  const output = join(folder, 'drawn.png');
  await drawDetections({ ffmpeg, input, output, frame });
  const args = ['-v', 'error', '-i', output, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const pixels = execFileSync(ffmpeg.path, args);
  const at = (x: number, y: number): number[] => [...pixels.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)];
  expect(pixels.length).toBe(64 * 48 * 3);
  // The second class is orange; two pixels thick; inside and outside are as they were.
  for (const [x, y] of [
    [10, 20],
    [39, 39],
    [11, 30],
  ] as const)
    expect(at(x, y)).toEqual([255, 165, 0]);
  for (const [x, y] of [
    [12, 30],
    [9, 30],
    [25, 42],
  ] as const)
    expect(at(x, y)).toEqual(at(0, 47));
});

test('a file that is no picture, and one that cannot be written, are told apart from a picture', async () => {
  const output = join(folder, 'none.png');
  await expect(drawDetections({ ffmpeg, input: import.meta.filename, output, frame })).rejects.toMatchObject({
    code: 'DRAW_FAILED',
  });
  const nowhere = join(folder, 'no/such/folder.png');
  await expect(drawDetections({ ffmpeg, input, output: nowhere, frame })).rejects.toThrow(
    /folder\.png was not written/,
  );
});
