import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseInferConfig } from '@vantage/deepstream';
import { InferenceClient, WorkerPool, type FrameRequest, type ModelSpec } from '../src/index.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');
const ASSETS = path.resolve(ROOT, process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
const hasAssets = existsSync(ASSETS);
if (!hasAssets) process.stderr.write(`skipped: ${ASSETS} is missing; set VANTAGE_ASSETS\n`);

const PARSER_HOST = pathToFileURL(path.join(ROOT, 'libs/parser-host/src/index.ts')).href;

function spec(model: string, ...properties: string[]): ModelSpec {
  const { spec: infer } = parseInferConfig(`[property]\nonnx-file=${model}\n${properties.join('\n')}\n`, 'test.txt');
  return { name: 'test.txt', onnxFile: path.join(ASSETS, 'models', model), infer, labels: [] };
}

/** Random, but the same each time. */
function noise(width: number, height: number, seed = 1): Omit<FrameRequest, 'id'> {
  const pixels = new Uint8Array(3 * width * height);
  let state = seed;
  for (let i = 0; i < pixels.length; i += 1) {
    state = (state * 1103515245 + 12345) % 2147483648;
    pixels[i] = state >> 16;
  }
  return {
    pixels: pixels.buffer,
    pictureWidth: width,
    pictureHeight: height,
    view: { left: 0, top: 0, width, height },
  };
}

const EMBEDDING = ['network-type=1', 'model-color-format=1', 'network-input-order=1'];
const TEXT = ['network-type=100', 'infer-dims=3;32;64', 'batch-size=4'];

(hasAssets ? describe : describe.skip)('sessions of a model', () => {
  let pool: WorkerPool;
  afterEach(() => pool.stop());

  test('several sessions behind one port: all of them work, and every answer is that of one session', async () => {
    pool = new WorkerPool({ sessionsPerModel: 2 });
    const own = { ...spec('person-reidentification-retail-0288.onnx', ...EMBEDDING), parser: 'embedding' };
    const model = await pool.load(own);
    expect(model.report.layout).toMatchObject({ sessions: 2, threads: 1 });
    const client = new InferenceClient(model.connect());
    const first = await client.infer(noise(64, 64));
    expect(client.capacity).toBe(3);
    const more = await Promise.all([1, 2, 1, 2, 1, 2].map((seed) => client.infer(noise(64, 64, seed))));
    for (const [index, { outputs, error, pixels }] of more.entries()) {
      expect(error).toBeUndefined();
      expect(pixels.byteLength).toBe(3 * 64 * 64);
      const same = Buffer.from(outputs[0]!.embedding!.buffer).equals(Buffer.from(first.outputs[0]!.embedding!.buffer));
      expect(same).toBe(index % 2 === 0);
    }
    client.closeWhenIdle();
    // A camera that goes before it has heard of the other sessions leaves no port behind.
    new InferenceClient(model.connect()).closeWhenIdle();
    const started = performance.now();
    await pool.stop();
    expect(performance.now() - started).toBeLessThan(4500);
    expect(await client.infer(noise(8, 8))).toMatchObject({ outputs: [], error: 'the model was unloaded' });
  });

  test('with cores to spare the best layout is measured, and the sessions that lost are gone', async () => {
    pool = new WorkerPool({ cores: 2 });
    const model = await pool.load(spec('yolox_nano.onnx'));
    const { sessions, threads, reason } = model.report.layout!;
    expect(sessions * threads).toBe(2);
    expect(reason).toMatch(/^2 sessions with 1 thread: [\d.]+ runs\/s; 1 session with 2 threads: [\d.]+ runs\/s$/);
    const client = new InferenceClient(model.connect());
    expect((await client.infer(noise(416, 416))).error).toBeUndefined();
    expect(client.capacity).toBe(sessions + 1);
    client.close();
    const quick = await pool.load(spec('mnist.onnx', 'network-type=1'));
    expect(quick.report.layout).toMatchObject({
      sessions: 1,
      threads: 1,
      reason: expect.stringMatching(/^a run takes/),
    });
  });

  test('a camera sends a second frame ahead only where no frames of others wait for the session', async () => {
    pool = new WorkerPool({ sessionsPerModel: 1 });
    const model = await pool.load(spec('yolox_nano.onnx'));
    const [one, other] = [new InferenceClient(model.connect()), new InferenceClient(model.connect())];
    // The first answers come after what the session says about itself.
    await Promise.all([one.infer(noise(416, 416)), other.infer(noise(416, 416))]);
    const first = one.infer(noise(416, 416));
    expect(one.capacity).toBe(2);
    const second = other.infer(noise(416, 416));
    expect([one.capacity, other.capacity]).toEqual([1, 1]);
    await Promise.all([first, second]);
    expect([one.capacity, other.capacity]).toEqual([2, 2]);
    one.close();
    other.close();
  });

  test('a batch gives each picture its own answer, whoever shares it', async () => {
    pool = new WorkerPool();
    const model = await pool.load(spec('en_number_mobile_v2.0_rec_infer.onnx', ...TEXT));
    expect(model.report.batching).toMatchObject({ regions: 4 });
    const clients = [1, 2, 3, 4, 5].map(() => new InferenceClient(model.connect()));
    const alone = await clients[0]!.infer(noise(64, 32, 3));
    const together = await Promise.all(clients.map((client, index) => client.infer(noise(64, 32, index + 1))));
    const values = together.map(({ outputs }) => outputs[0]!.tensors![0]!);
    expect(values.map(({ dims }) => dims)).toEqual(Array(5).fill([16, 97]));
    expect(distance(values[2]!.data, alone.outputs[0]!.tensors![0]!.data)).toBeLessThan(1e-5);
    expect(distance(values[1]!.data, values[2]!.data)).toBeGreaterThan(1e-3);
    for (const client of clients) client.close();
  });

  test('regions: one answer each in their order, nothing outside of the picture, more than fit into a run', async () => {
    pool = new WorkerPool();
    const model = await pool.load(spec('en_number_mobile_v2.0_rec_infer.onnx', ...TEXT, 'process-mode=2'));
    const client = new InferenceClient(model.connect());
    const region = (left: number) => ({ left, top: 0, width: 64, height: 32 });
    const lefts = [0, 64, 9999, 128, 0, 64];
    const { outputs, error } = await client.infer({ ...noise(192, 32), regions: lefts.map(region) });
    expect(error).toBeUndefined();
    expect(outputs.map(({ tensors }) => tensors?.length ?? 0)).toEqual([1, 1, 0, 1, 1, 1]);
    const data = outputs.map(({ tensors }) => tensors?.[0]?.data);
    expect(distance(data[0]!, data[4]!)).toBeLessThan(1e-5);
    expect(distance(data[0]!, data[1]!)).toBeGreaterThan(1e-3);
    expect(await client.infer({ ...noise(8, 8), regions: [] })).toMatchObject({ outputs: [] });
    client.close();
  });

  test('a picture in shared memory stays where it is and gives the same answer', async () => {
    pool = new WorkerPool();
    const client = new InferenceClient((await pool.load(spec('mnist.onnx', 'network-type=1'))).connect());
    const frame = noise(28, 28);
    const shared = new Uint8Array(new SharedArrayBuffer(3 * 28 * 28));
    shared.set(new Uint8Array(frame.pixels));
    const before = Buffer.from(shared).toString('hex');
    const branches = await Promise.all([1, 2].map(() => client.infer({ ...frame, pixels: shared.buffer })));
    const moved = await client.infer(frame);
    expect(moved.outputs[0]!.attributes).toHaveLength(1);
    for (const { outputs, error, pixels } of branches) {
      expect(error).toBeUndefined();
      expect(outputs).toEqual(moved.outputs);
      expect(pixels.byteLength).toBe(0);
    }
    expect(Buffer.from(shared).toString('hex')).toBe(before);
    client.close();
  });

  test('a picture with too few pixels costs itself only', async () => {
    pool = new WorkerPool();
    const client = new InferenceClient((await pool.load(spec('mnist.onnx', 'network-type=1'))).connect());
    const [broken, whole] = await Promise.all([
      client.infer({ ...noise(8, 8), pictureWidth: 80 }),
      client.infer(noise(8, 8)),
    ]);
    expect(broken).toMatchObject({ outputs: [], error: expect.stringContaining('needs 1920 bytes, there are 192') });
    expect(whole.outputs[0]!.attributes).toHaveLength(1);
    client.close();
  });

  test('models are kept as they were optimised, and loaded from there', async () => {
    const cacheFolder = mkdtempSync(path.join(os.tmpdir(), 'vantage-cache-'));
    pool = new WorkerPool({ cacheFolder });
    const answer = async () => {
      const model = await pool.load(spec('mnist.onnx', 'network-type=1'));
      const client = new InferenceClient(model.connect());
      const { outputs } = await client.infer(noise(28, 28));
      client.close();
      return outputs;
    };
    const first = await answer();
    const [file, ...more] = readdirSync(cacheFolder);
    expect(more).toEqual([]);
    expect(await answer()).toEqual(first);
    writeFileSync(path.join(cacheFolder, file!), 'no model');
    expect(await answer()).toEqual(first);
    expect(readFileSync(path.join(cacheFolder, file!)).length).toBeGreaterThan(1000);
  });
});

(hasAssets ? describe : describe.skip)('a parser of the user', () => {
  let pool: WorkerPool;
  afterEach(() => pool.stop());

  function parser(code: string): ModelSpec {
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'vantage-parser-')), 'parser.mjs');
    writeFileSync(file, code);
    return { ...spec('yolox_nano.onnx'), customParser: { kind: 'js', file, deadlineMs: 5000 } };
  }

  async function look(own: ModelSpec) {
    pool = new WorkerPool({ parserHost: PARSER_HOST });
    const model = await pool.load(own);
    const client = new InferenceClient(model.connect());
    const view = { left: 100, top: 0, width: 640, height: 360 };
    const result = await client.infer({ ...noise(416, 416), view });
    client.close();
    return { model, result };
  }

  test('its boxes are put into the frame, its message stands beside them', async () => {
    const { model, result } = await look(
      parser(`
        export const modelType = 0;
        export const name = 'mine';
        export const labels = ['a', 'b'];
        export function parseDetModel(config, outputs) {
          return [[[128, 72, 256, 144]], [1], [0.75], { outputs: Object.keys(outputs), dims: outputs.output.dims }];
        }`),
    );
    expect(model.report).toMatchObject({ parser: 'js: mine', parserReason: expect.stringContaining('parser.mjs') });
    expect(result.error).toBeUndefined();
    expect(result.outputs).toEqual([
      {
        detections: [
          expect.objectContaining({
            classId: 1,
            label: 'b',
            confidence: 0.75,
            box: { left: 164, top: 36, width: 128, height: 72 },
            trackingId: -1,
          }),
        ],
        attributes: [],
        custom: { outputs: ['output'], dims: [3549, 85] },
      },
    ]);
  });

  test('one that throws costs the frame; one that cannot be loaded is refused with its reason', async () => {
    const broken = `export const modelType = 0; export const name = 'b'; export const labels = [];`;
    const { result } = await look(parser(`${broken} export function parseDetModel() { throw new Error('no luck'); }`));
    expect(result).toMatchObject({ outputs: [], error: expect.stringContaining('no luck') });
    await expect(pool.load(parser('export const name = 1;'))).rejects.toMatchObject({ code: 'PARSER_LOAD_FAILED' });
    const without = new WorkerPool();
    await expect(without.load(parser(broken))).rejects.toMatchObject({ code: 'CUSTOM_PARSER_FAILED' });
  });
});

function distance(a: ArrayLike<unknown>, b: ArrayLike<unknown>): number {
  return Array.from(a, (value, i) => Math.abs(Number(value) - Number(b[i]))).reduce((x, y) => Math.max(x, y), 0);
}
