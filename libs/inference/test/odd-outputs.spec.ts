/** What a model should never say, through a real session: NaN, infinity, no box at all, ten thousand of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { parseInferConfig } from '@vantage/deepstream';
import { InferenceClient, WorkerPool, type InferenceResult } from '../src/index.ts';
import { constantModel } from './constant-model.ts';

describe('odd outputs', () => {
  let folder: string;
  let pool: WorkerPool;
  beforeAll(async () => void (folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-odd-'))));
  afterAll(() => rm(folder, { recursive: true }));
  afterEach(() => pool.stop());

  /** @param row corners and score of box i */
  async function look(
    count: number,
    row: (i: number) => readonly [number, number, number, number, number],
    cluster: number,
  ): Promise<InferenceResult> {
    const rows = Array.from({ length: count }, (_, i) => row(i));
    const onnxFile = path.join(folder, 'model.onnx');
    const boxes = Float32Array.from(rows.flatMap((one) => one.slice(0, 4)));
    const scores = Float32Array.from(rows.map((one) => one[4]));
    await writeFile(
      onnxFile,
      constantModel([
        { name: 'boxes', dims: [1, count, 4], values: boxes },
        { name: 'scores', dims: [1, count, 1], values: scores },
      ]),
    );
    const text = `[property]\nonnx-file=model.onnx\nnum-detected-classes=1\nnetwork-type=0\ncluster-mode=${cluster}\n`;
    const limits = '[class-attrs-all]\npre-cluster-threshold=0.3\nnms-iou-threshold=0.5\n';
    const { spec: infer } = parseInferConfig(text + limits, 'odd.txt');
    pool = new WorkerPool();
    const model = await pool.load({ name: 'odd.txt', onnxFile, infer, labels: ['thing'], parser: 'scores-boxes' });
    const client = new InferenceClient(model.connect());
    const view = { left: 0, top: 0, width: 640, height: 640 };
    const pixels = new ArrayBuffer(3 * 64 * 64);
    const result = await client.infer({ pixels, pictureWidth: 64, pictureHeight: 64, view });
    client.close();
    return result;
  }

  test('boxes and scores that are no numbers are passed over, the others stay', async () => {
    const odd = [Number.NaN, Infinity, -Infinity];
    const { error, outputs } = await look(
      20,
      (i) => {
        const at = 3 * i;
        if (i < 3) return [at, 0, at + 2, 20, odd[i]!];
        if (i < 15) {
          const corners: [number, number, number, number] = [at, 0, at + 2, 20];
          corners[i % 4] = odd[i % 3]!;
          return [...corners, 0.9];
        }
        return [at, 0, at + 2, 20, 0.8];
      },
      2,
    );
    expect(error).toBeUndefined();
    const detections = outputs[0]?.detections ?? [];
    for (const { box, confidence } of detections) {
      expect([...Object.values(box), confidence].every(Number.isFinite)).toBe(true);
      expect(confidence).toBeLessThanOrEqual(1);
    }
    expect(detections.filter(({ confidence }) => Math.abs(confidence - 0.8) < 1e-6)).toHaveLength(5);
  });

  test('no box above the threshold is an empty answer', async () => {
    const { error, outputs } = await look(10, () => [1, 1, 5, 5, 0], 2);
    expect(error).toBeUndefined();
    expect(outputs).toEqual([{ detections: [], attributes: [] }]);
  });

  test.each([
    ['suppression', 2],
    ['nobody', 4],
  ])('ten thousand boxes, clustered by %s, are an answer in bounded time', async (_, cluster) => {
    const { error, outputs, inferenceUs } = await look(
      10_000,
      (i) => {
        const [x, y] = [(i % 100) * 0.6, Math.floor(i / 100) * 0.6];
        return [x, y, x + 4, y + 4, 0.4 + (i % 50) / 100];
      },
      cluster,
    );
    expect(error).toBeUndefined();
    const count = outputs[0]?.detections.length ?? 0;
    expect(count).toBeGreaterThan(50);
    expect(count).toBeLessThanOrEqual(10_000);
    expect(inferenceUs).toBeLessThan(5_000_000);
  });
});
