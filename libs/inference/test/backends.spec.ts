import { afterEach, describe, expect, test } from '@jest/globals';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseInferConfig } from '@vantage/deepstream';
import { InferenceClient, WorkerPool, type FrameRequest, type ModelSpec } from '../src/index.ts';
import type { ServerTask } from './oip-server.ts';
import { MODELS, sidecarPython } from './sidecar-python.ts';

const FILE = path.join(MODELS, 'person-reidentification-retail-0288.onnx');
const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'oip-server.ts');
/** Processes and threads start one after the other: three seconds, many more where all cores are busy. */
const BUSY = 90_000;
const haveModels = existsSync(MODELS);
if (!haveModels) process.stderr.write(`backends are not compared: no ${MODELS} (VANTAGE_ASSETS)\n`);

function specOf(backend: Exclude<ModelSpec['backend'], undefined>): ModelSpec {
  const text = '[property]\nonnx-file=m.onnx\nnetwork-type=1\nmodel-color-format=1\nnetwork-input-order=1\n';
  const { spec: infer } = parseInferConfig(text, 'person.txt');
  const onnxFile = typeof backend === 'string' ? FILE : '';
  return { name: 'person.txt', onnxFile, infer, labels: [], parser: 'embedding', backend };
}

function picture(): Omit<FrameRequest, 'id'> {
  const [width, height] = [128, 256];
  const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => (Math.imul(i, 2654435761) >>> 20) & 0xff);
  return {
    pixels: pixels.buffer,
    pictureWidth: width,
    pictureHeight: height,
    view: { left: 0, top: 0, width, height },
  };
}

describe('one model, wherever it runs', () => {
  const pool = new WorkerPool({ sessionsPerModel: 1 });
  let server: ChildProcess | undefined;
  afterEach(async () => {
    await pool.stop();
    if (server?.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit');
    server = undefined;
  });

  async function embedding(
    spec: ModelSpec,
  ): Promise<{ provider: string; values: Float32Array; client: InferenceClient }> {
    const model = await pool.load(spec);
    const client = new InferenceClient(model.connect());
    const { outputs, error } = await client.infer(picture());
    expect(error).toBeUndefined();
    return { provider: model.report.provider, values: outputs[0]!.embedding!, client };
  }

  async function startServer(): Promise<number> {
    const task = JSON.stringify({ port: 0, models: { person: FILE } } satisfies ServerTask);
    server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, task], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    });
    const [chunk] = (await once(server.stdout!, 'data')) as [Buffer];
    return Number(chunk.toString());
  }

  (haveModels ? test : test.skip)(
    'a server gives what the thread gives; when it is gone, frames fail and say so',
    async () => {
      const here = await embedding(specOf('worker'));
      const port = await startServer();
      const there = await embedding(
        specOf({ remote: { url: `127.0.0.1:${port}`, model: 'person', deadlineMs: 2000 } }),
      );
      expect(here.provider).toBe('cpu');
      expect(there.provider).toContain(`remote 127.0.0.1:${port}`);
      expect(there.values).toHaveLength(256);
      expect(apart(here.values, there.values)).toBeLessThan(1e-5);

      server!.kill('SIGKILL');
      await once(server!, 'exit');
      const { outputs, error, pixels } = await there.client.infer(picture());
      expect(outputs).toEqual([]);
      expect(error).toMatch(/inference server at 127\.0\.0\.1:\d+ gives no answer/);
      expect(pixels.byteLength).toBe(3 * 128 * 256);
    },
    BUSY,
  );

  (sidecarPython() === undefined ? test.skip : test)(
    'a sidecar gives what the thread gives',
    async () => {
      const here = await embedding(specOf('worker'));
      const there = await embedding(specOf('sidecar'));
      expect(there.provider).toBe('cpu');
      expect(apart(here.values, there.values)).toBeLessThan(1e-5);
    },
    BUSY,
  );

  (haveModels ? test : test.skip)(
    'without a Python for a sidecar this process does it, and why is reported',
    async () => {
      const runners = path.resolve(path.dirname(script), '../src/runners/open-runner.ts');
      const options = { threads: 1, providers: ['tensorrt', 'cpu'], deviceId: 0 };
      const program = `
      import { openRunner } from ${JSON.stringify(runners)};
      const runner = await openRunner(${JSON.stringify(specOf('sidecar'))}, ${JSON.stringify(options)});
      process.stdout.write(JSON.stringify([runner.provider, runner.providerReason, runner.inputs[0].name]));
      await runner.close();`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...process.env, VANTAGE_SIDECAR_PYTHON: '/nowhere/python3', ORT_DISABLE_TELEMETRY: '1' },
      });
      const reason: unknown = expect.stringMatching(/needs Python.*\/nowhere\/python3/);
      expect(JSON.parse(stdout)).toEqual(['cpu', reason, 'inputs:0']);
    },
  );
});

function apart(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Infinity))), 0);
}
