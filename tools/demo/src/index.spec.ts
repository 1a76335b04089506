import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parseInferConfig, parseLabels } from '@vantage/deepstream';
import { checkOnnxFile } from '@vantage/model-store';
import { demo, type DemoTruth } from './index.ts';

const BUDGET_BYTES = 6_000_000;
const root = path.resolve(import.meta.dirname, '..');
const ffprobe = (createRequire(import.meta.url)('@ffprobe-installer/ffprobe') as { path: string }).path;

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
    expect(spec.inferDims).toEqual({ channels: 3, height: 224, width: 384 });
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
    const query = [
      '-v',
      'error',
      '-select_streams',
      'v',
      '-show_entries',
      'stream=codec_name,width,height,avg_frame_rate,has_b_frames:packet=flags',
    ];
    const { stdout } = await promisify(execFile)(ffprobe, [...query, '-of', 'json', demo.video], {
      maxBuffer: 1 << 24,
    });
    const { streams, packets } = JSON.parse(stdout) as { streams: unknown[]; packets: { flags: string }[] };
    const { width, height, fps } = truth;
    expect(streams).toEqual([{ codec_name: 'h264', width, height, avg_frame_rate: `${fps}/1`, has_b_frames: 0 }]);
    expect(packets).toHaveLength(truth.frames.length);
    expect(packets.flatMap(({ flags }, at) => (flags.startsWith('K') ? [at] : []))).toEqual(
      truth.frames.flatMap((_, at) => (at % fps === 0 ? [at] : [])),
    );
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
    const times = inside.flatMap((now, at) =>
      now === (inside.at(at - 1) ?? now) ? [] : [{ now, seconds: at / truth.fps }],
    );
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
