import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseInferConfig } from '@vantage/deepstream';
import { InferenceClient } from './client.ts';
import { EMPTY_OUTPUT } from './model-output.ts';
import type { ModelSpec } from './model-spec.ts';
import { WorkerPool } from './worker-pool.ts';

const REPOSITORY = path.resolve(import.meta.dirname, '../../..');
const ASSETS = path.resolve(REPOSITORY, process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
const hasAssets = existsSync(ASSETS);
if (!hasAssets) process.stderr.write(`skipped: ${ASSETS} is missing; set VANTAGE_ASSETS\n`);

function spec(model: string, properties: readonly string[] = []): ModelSpec {
  const text = ['[property]', `onnx-file=${model}`, 'model-color-format=1', 'net-scale-factor=1', ...properties].join(
    '\n',
  );
  const { spec: infer } = parseInferConfig(text, 'test.txt');
  const labels = readFileSync(path.join(ASSETS, 'labels/coco.names'), 'utf8').trim().split('\n');
  return { name: 'test.txt', onnxFile: path.resolve(ASSETS, 'models', model), infer, labels };
}

(hasAssets ? describe : describe.skip)('WorkerPool', () => {
  let pool: WorkerPool;
  afterEach(() => pool.stop());

  test('reports what it loaded, and why it reads the outputs as it does', async () => {
    pool = new WorkerPool();
    const { report } = await pool.load(spec('yolox_nano.onnx'));
    expect(report).toMatchObject({
      input: 'images float32 [1,3,416,416]',
      outputs: ['output float32 [1,3549,85]'],
      network: { width: 416, height: 416 },
      parser: 'yolox',
      provider: 'cpu',
    });
    expect(report.parserReason).toContain('3549');
  });

  test('answers in order, gives the buffers back, and finds nothing in a grey picture', async () => {
    pool = new WorkerPool();
    const model = await pool.load(spec('yolox_nano.onnx'));
    const client = new InferenceClient(model.connect());
    const view = { left: 0, top: 0, width: 832, height: 468 };
    const look = () =>
      client.infer({
        pixels: new Uint8Array(3 * 416 * 234).fill(114).buffer,
        pictureWidth: 416,
        pictureHeight: 234,
        view,
      });
    const results = await Promise.all([look(), look()]);
    expect(results.map((result) => result.error)).toEqual([undefined, undefined]);
    expect(results.map((result) => result.outputs)).toEqual([[EMPTY_OUTPUT], [EMPTY_OUTPUT]]);
    expect(results.map((result) => result.pixels.byteLength)).toEqual([3 * 416 * 234, 3 * 416 * 234]);
    client.close();
  });

  test('a model that is taken away answers what it still has, then ends its worker', async () => {
    pool = new WorkerPool();
    const model = await pool.load(spec('yolox_nano.onnx'));
    const client = new InferenceClient(model.connect());
    const view = { left: 0, top: 0, width: 416, height: 234 };
    const last = client.infer({ pixels: new ArrayBuffer(3 * 416 * 234), pictureWidth: 416, pictureHeight: 234, view });
    client.closeWhenIdle();
    const unloaded = model.unload();
    expect((await last).error).toBeUndefined();
    await unloaded;
  });

  test.each([
    ['mnist.onnx', [], 'PARSER_DOES_NOT_FIT', /Plus214_Output_0 \[1, 10\] float32/],
    ['yolox_nano.onnx', ['model-color-format=2'], 'MODEL_CHANNELS_MISMATCH', /images float32 \[1,3,416,416\]/],
    ['yolox_nano.onnx', ['infer-dims=3;320;320'], 'NETWORK_SIZE_MISMATCH', /416/],
    ['yolox_nano.onnx', ['parse-bbox-func-name=NvDsInferParseNothing'], undefined, /yolox/],
  ])('%s with %j is refused with a reason', async (model, properties, code, message) => {
    pool = new WorkerPool();
    const loading = pool.load(spec(model, properties));
    await expect(loading).rejects.toMatchObject({ ...(code ? { code } : {}), message: expect.stringMatching(message) });
  });

  test('a file that is no ONNX model is refused by name', async () => {
    pool = new WorkerPool();
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'vantage-onnx-')), 'noise.onnx');
    writeFileSync(file, Buffer.alloc(2048, 7));
    const loading = pool.load({ ...spec('yolox_nano.onnx'), onnxFile: file });
    await expect(loading).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
      message: expect.stringContaining('test.txt'),
    });
  });
});
