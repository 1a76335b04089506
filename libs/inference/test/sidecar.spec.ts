import { afterEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { readOnnx } from '@vantage/onnx';
import type { ModelSpec } from '../src/index.ts';
import type { TensorRunner } from '../src/runners/runner.ts';
import { openSidecar, type SidecarOptions } from '../src/runners/sidecar.ts';
import { providerOptions, wantsGraphs } from '../src/runners/sidecar/provider-options.ts';
import { shapeProfile } from '../src/runners/sidecar/shape-profile.ts';
import type { SidecarRunner } from '../src/runners/sidecar/sidecar-runner.ts';
import { SharedMemory } from '../src/runners/sidecar/shared-memory.ts';
import type { Outcome, Task } from './run-sidecar.ts';
import { MODELS, sidecarPython } from './sidecar-python.ts';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'run-sidecar.ts');
const python = sidecarPython();

function specOf(file: string, infer: object = {}): ModelSpec {
  const own = { networkMode: 'fp32', tensorRt: { enableDla: false, dlaCore: 0 }, batchSize: 1, ...infer };
  return { name: path.basename(file), onnxFile: file, infer: own as unknown as ModelSpec['infer'], labels: [] };
}

const PLAIN: SidecarOptions = { threads: 1, providers: ['cpu'], deviceId: 0 };

describe('what a configuration asks of providers', () => {
  test('INT8 with calibration, DLA, workspace, caches', () => {
    const tensorRt = { int8CalibrationFile: 'calib.txt', workspaceSizeMb: 2, enableDla: true, dlaCore: 1 };
    const spec = specOf('/models/a/m.onnx', { networkMode: 'int8', tensorRt });
    const options = { ...PLAIN, deviceId: 1, cacheFolder: '/cache' };
    expect(providerOptions(spec, options, { min: 'a:1x3', best: 'a:4x3', max: 'a:4x3' }, {}).tensorrt).toEqual({
      device_id: '1',
      trt_fp16_enable: '1',
      trt_int8_enable: '1',
      trt_int8_use_native_calibration_table: '1',
      trt_int8_calibration_table_name: '/models/a/calib.txt',
      trt_max_workspace_size: '2097152',
      trt_dla_enable: '1',
      trt_dla_core: '1',
      trt_builder_optimization_level: '3',
      trt_engine_cache_enable: '1',
      trt_engine_cache_path: '/cache/tensorrt',
      trt_timing_cache_enable: '1',
      trt_timing_cache_path: '/cache/tensorrt',
      trt_profile_min_shapes: 'a:1x3',
      trt_profile_opt_shapes: 'a:4x3',
      trt_profile_max_shapes: 'a:4x3',
    });
  });

  test('the operator has the last word', () => {
    const env = { VANTAGE_PROVIDER_OPTIONS: '{"tensorrt":{"trt_cuda_graph_enable":true,"trt_fp16_enable":1}}' };
    const options = providerOptions(specOf('/m.onnx'), PLAIN, undefined, env);
    expect(options.tensorrt).toMatchObject({ trt_cuda_graph_enable: '1', trt_fp16_enable: '1', device_id: '0' });
    expect(wantsGraphs(options)).toBe(true);
    expect(wantsGraphs(providerOptions(specOf('/m.onnx'), PLAIN, undefined, {}))).toBe(false);
  });

  test.each(['{', '[]', '{"tpu":{}}', '{"cuda":1}', '{"cuda":{"a":{}}}'])('%s is refused', (text) => {
    const read = (): unknown =>
      providerOptions(specOf('/m.onnx'), PLAIN, undefined, { VANTAGE_PROVIDER_OPTIONS: text });
    expect(read).toThrow(expect.objectContaining({ code: 'SIDECAR_OPTIONS_INVALID' }));
  });

  test('one engine for every batch up to batch-size', () => {
    const model = (dims: (number | string)[]): ReturnType<typeof readOnnx> =>
      ({ inputs: [{ name: 'x', type: 'float32', dims }] }) as unknown as ReturnType<typeof readOnnx>;
    const { infer } = specOf('', { batchSize: 8, inferDims: { channels: 3, height: 32, width: 160 } });
    expect(shapeProfile(model(['n', 3, 32, 'w']), infer)).toEqual({
      min: 'x:1x3x32x160',
      best: 'x:8x3x32x160',
      max: 'x:8x3x32x160',
    });
    expect(shapeProfile(model(['n', 'h', 'w', 3]), infer)?.max).toBe('x:8x32x160x3');
    expect(shapeProfile(model([1, 3, 32, 160]), infer)).toBeUndefined();
    expect(shapeProfile(model(['n', 'length']), infer)).toBeUndefined();
  });
});

describe('no package', () => {
  test('an interpreter that is not there, and one that has no onnxruntime', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'vantage-sidecar-'));
    try {
      // -S: nothing that was installed is found.
      const bare = path.join(folder, 'python');
      await writeFile(bare, '#!/bin/sh\nexec python3 -S -E "$@"\n', { mode: 0o755 });
      const opening = openSidecar(specOf('/m.onnx'), { ...PLAIN, pythons: ['/nowhere/python3', bare] });
      await expect(opening).rejects.toMatchObject({
        code: 'SIDECAR_MISSING',
        message: expect.stringMatching(/nowhere\/python3: .*ENOENT.*No module named '(numpy|onnxruntime)'/),
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('shared memory gives back what was written, wherever it lies', () => {
  const memory = SharedMemory.open(['/nowhere', tmpdir()]);
  const offsets = [Uint8Array.of(1, 2, 3), Float32Array.of(1.5, -2)].map((data) => memory.write(data));
  expect([...offsets, memory.end]).toEqual([0, 64, 72]);
  const floats = new Float32Array(2);
  memory.read(64, floats);
  expect([...floats]).toEqual([1.5, -2]);
  expect(() => memory.read(70, new Uint8Array(4))).toThrow('ends 2 bytes too early');
  memory.close();
  memory.close();
});

const suite = python === undefined ? describe.skip : describe;

async function runBoth(task: Task): Promise<Outcome> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, JSON.stringify(task)],
    { env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' } },
  );
  return JSON.parse(stdout) as Outcome;
}

suite('the same numbers as in this process', () => {
  test('a detector, from its file', async () => {
    const outcome = await runBoth({ file: path.join(MODELS, 'yolox_nano.onnx'), dims: [1, 3, 416, 416] });
    expect(outcome).toMatchObject({
      provider: 'cpu',
      inputs: [{ name: 'images', type: 'float32', dims: [1, 3, 416, 416] }],
      outputs: [{ name: 'output', type: 'float32', dims: [1, 3549, 85] }],
    });
    expect(outcome.largest).toBeGreaterThan(1);
    expect(Math.max(...outcome.apart)).toBeLessThan(1e-3);
  });

  test('open dimensions, from bytes', async () => {
    const file = path.join(MODELS, 'en_number_mobile_v2.0_rec_infer.onnx');
    const outcome = await runBoth({ file, dims: [2, 3, 32, 160], asBytes: true });
    expect(outcome.inputs).toMatchObject([{ dims: [-1, 3, 32, -1] }]);
    expect(outcome.outputs[0]?.dims).toEqual([2, 40, 97]);
    expect(Math.max(...outcome.apart)).toBeLessThan(1e-4);
  });

  test('twelve outputs, tensors at fixed addresses as CUDA graphs need them', async () => {
    const file = path.join(MODELS, 'yunet_n_320_320.onnx');
    const outcome = await runBoth({ file, dims: [1, 3, 320, 320], options: { bind: 'cpu' } });
    expect(outcome.outputs).toHaveLength(12);
    expect(Math.max(...outcome.apart)).toBeLessThan(1e-3);
  });

  test('a provider that is not to be had: the next one, and why', async () => {
    const options = { providers: ['tensorrt', 'cuda'] } as const;
    const outcome = await runBoth({ file: path.join(MODELS, 'mnist.onnx'), dims: [1, 1, 28, 28], options });
    if (outcome.provider !== 'cpu') return;
    expect(outcome.providerReason).toMatch(/^tensorrt: .+; cuda: .+/);
  });
});

suite('faults', () => {
  const file = path.join(MODELS, 'mnist.onnx');
  const feed = { name: 'Input3', dims: [1, 1, 28, 28], data: new Float32Array(784).fill(3) };
  let runner: TensorRunner | undefined;
  afterEach(async () => {
    await runner?.close();
    runner = undefined;
  });

  async function opened(options: Partial<SidecarOptions> = {}): Promise<SidecarRunner> {
    const pythons = [python ?? ''];
    const sidecar = await openSidecar(specOf(file), { ...PLAIN, pythons, restartMs: 10, deadlineMs: 2000, ...options });
    runner = sidecar;
    return sidecar;
  }

  /** Tries until a batch comes through. */
  async function worksAgain(sidecar: TensorRunner): Promise<readonly number[]> {
    for (;;) {
      try {
        const outputs = await sidecar.run([feed]);
        return [...(outputs[0]?.data as Float32Array)];
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  test.each(['SIGKILL', 'SIGSTOP'] as const)('%s costs one batch, then it works again', async (signal) => {
    const sidecar = await opened({ deadlineMs: 300 });
    const before = await worksAgain(sidecar);
    const first = sidecar.pid!;
    process.kill(first, signal);
    await expect(sidecar.run([feed])).rejects.toMatchObject({
      code: 'SIDECAR_UNAVAILABLE',
      message: expect.stringMatching(signal === 'SIGKILL' ? /SIGKILL|EPIPE/ : /within 300 ms/),
    });
    expect(await worksAgain(sidecar)).toEqual(before);
    expect(sidecar.pid).not.toBe(first);
    expect(() => process.kill(first, 0)).toThrow('ESRCH');
  });

  test('a batch that the model cannot take fails alone', async () => {
    const sidecar = await opened();
    const { pid } = sidecar;
    await expect(sidecar.run([{ ...feed, name: 'nothing' }])).rejects.toThrow(/Required inputs.*Input3/);
    await expect(sidecar.run([{ ...feed, dims: [1, 1, 28, 27] }])).rejects.toThrow(
      /invalid dimensions for input: Input3.*Got: 27 Expected: 28/,
    );
    expect(await worksAgain(sidecar)).toHaveLength(10);
    expect(sidecar.pid).toBe(pid);
  });

  test('batches that are handed over together are answered in turn', async () => {
    const sidecar = await opened();
    const feeds = [1, 2, 3].map((value) => ({ ...feed, data: new Float32Array(784).fill(value) }));
    const results = await Promise.all(
      feeds.map((one) => sidecar.run([one]).then(([output]) => [...(output?.data as Float32Array)])),
    );
    expect(new Set(results.map(String)).size).toBe(3);
    expect(await sidecar.run([feeds[1]!]).then(([output]) => [...(output?.data as Float32Array)])).toEqual(results[1]);
  });

  test('a file that is no model', async () => {
    const opening = openSidecar(specOf(script), { ...PLAIN, pythons: [python ?? ''] });
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  });

  test('closed: the process is gone, batches are refused', async () => {
    const sidecar = await opened();
    const pid = sidecar.pid!;
    await sidecar.close();
    await sidecar.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    await expect(sidecar.run([feed])).rejects.toMatchObject({ code: 'SIDECAR_UNAVAILABLE' });
  });

  test('it ends with the process that uses it', async () => {
    const program = `
      import { openSidecar } from ${JSON.stringify(path.resolve(path.dirname(script), '../src/runners/sidecar.ts'))};
      const runner = await openSidecar(${JSON.stringify(specOf(file))}, ${JSON.stringify({ ...PLAIN, pythons: [python] })});
      process.stdout.write(String(runner.pid));
      process.kill(process.pid, 'SIGKILL');`;
    const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
    const { stdout } = await child.catch((error: { stdout: string }) => error);
    const pid = Number(stdout);
    expect(pid).toBeGreaterThan(0);
    // Gone, or a zombie that init has not yet taken.
    for (;;) {
      const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
      if (status.slice(status.lastIndexOf(')') + 2).startsWith('Z')) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});
