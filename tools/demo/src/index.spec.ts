import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseInferConfig, parseLabels } from '@vantage/deepstream';
import { readEncodedFile, resolveFfmpeg } from '@vantage/media';
import { checkOnnxFile } from '@vantage/model-store';
import { demo, type DemoTruth } from './index.ts';

const BUDGET_BYTES = 6_000_000;
const root = path.resolve(import.meta.dirname, '..');

describe('the committed files', () => {
  test('stay within their budget together', async () => {
    const names = (await readdir(root, { recursive: true })).filter((name) => !name.startsWith('node_modules'));
    const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(root, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(BUDGET_BYTES);
    expect((await stat(demo.truth)).size).toBeLessThan(300_000);
  });

  test('are where the package says', () => {
    for (const file of [demo.video, demo.poster, demo.truth, demo.modelFolder, demo.modelConfig]) {
      expect([file, existsSync(file)]).toEqual([file, true]);
    }
  });
});

describe('the model', () => {
  test('has a configuration that is read without a complaint, and labels that fit', async () => {
    const { spec, problems } = parseInferConfig(await readFile(demo.modelConfig, 'utf8'), 'config_infer.txt');
    expect(problems).toEqual([]);
    expect(spec).toMatchObject({
      onnxFile: 'street.onnx',
      colorFormat: 'RGB',
      maintainAspectRatio: true,
      symmetricPadding: true,
    });
    expect(spec.inferDims).toEqual({ channels: 3, height: 288, width: 512 });
    expect(spec.classCount).toBe(demo.labels.length);
    const labelText = await readFile(path.join(demo.modelFolder, spec.labelFile!), 'utf8');
    expect(parseLabels(labelText, 'labels.txt', spec.classCount)).toMatchObject({ labels: demo.labels, problems: [] });
    await checkOnnxFile(path.join(demo.modelFolder, spec.onnxFile!));
  });
});

describe('the film', () => {
  let truth: DemoTruth;
  beforeAll(async () => {
    truth = JSON.parse(await readFile(demo.truth, 'utf8')) as DemoTruth;
  });

  test('can be served and looped as it is: H.264, a key frame each second, no B-frames, one truth a frame', async () => {
    const film = await readEncodedFile(demo.video, await resolveFfmpeg(), 10_000_000);
    const { width, height, fps, frames } = truth;
    expect(film).toMatchObject({ codec: 'h264', width, height, fps, truncated: false });
    // In decoding order: presentation times that only rise mean that there are no B-frames.
    expect(film.frames.map(({ ptsUs }) => ptsUs)).toEqual(frames.map((_, at) => (at * 1_000_000) / fps));
    expect(film.frames.map(({ key }) => key)).toEqual(frames.map((_, at) => at % fps === 0));
  });

  test('its boxes lie within the picture and name a class', () => {
    expect(truth.classes).toEqual([...demo.labels]);
    for (const [name, , left, top, right, bottom, visible] of truth.frames.flat()) {
      expect(name in truth.classes && 0 <= left && left < right && right <= truth.width).toBe(true);
      expect(0 <= top && top < bottom && bottom <= truth.height && visible >= 0 && visible <= 100).toBe(true);
    }
  });

  test('somebody enters and leaves the region three times a round, first within five seconds', () => {
    const inside = truth.frames.map((rows) =>
      rows.some(
        ([name, , left, top, right, bottom]) =>
          name === 0 && isInside((left + right) / 2 / truth.width, (top + bottom) / 2 / truth.height),
      ),
    );
    // On the edge of the region a step to and fro may count as out and in again: a change is one that lasts.
    const times: { now: boolean; seconds: number }[] = [];
    inside.forEach((now, at) => {
      const lasts = inside.slice(at, at + 10).every((later) => later === now);
      if (lasts && now !== (times.at(-1)?.now ?? false)) times.push({ now, seconds: at / truth.fps });
    });
    expect(times.map(({ now }) => now)).toEqual([true, false, true, false, true, false]);
    expect(times[0]!.seconds).toBeLessThan(5);
    expect(Math.min(...times.slice(1).map(({ seconds }, at) => seconds - times[at]!.seconds))).toBeGreaterThan(2);
    expect(truth.region).toEqual(demo.region.coordinates);
  });
});

/** Even-odd rule, for a convex region. */
function isInside(x: number, y: number): boolean {
  const corners = demo.region.coordinates;
  let odd = false;
  corners.forEach(([x1, y1], at) => {
    const [x2, y2] = corners[(at + 1) % corners.length]!;
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) odd = !odd;
  });
  return odd;
}
