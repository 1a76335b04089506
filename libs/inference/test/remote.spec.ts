import { afterEach, describe, expect, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelSpec } from '../src/index.ts';
import { openRemote } from '../src/runners/remote.ts';
import type { TensorRunner } from '../src/runners/runner.ts';
import type { ServerTask } from './oip-server.ts';
import { MODELS } from './sidecar-python.ts';

const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'oip-server.ts');
const SPEC = { name: 'mnist', onnxFile: '', labels: [] } as unknown as ModelSpec;
const OPTIONS = { threads: 1, providers: [], deviceId: 0 } as const;

const servers: ChildProcess[] = [];
const runners: TensorRunner[] = [];
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.close()));
  for (const server of servers.splice(0)) {
    if (server.exitCode !== null || server.signalCode !== null) continue;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
});

/** A server of the protocol with real sessions, in a process of its own. */
async function serve(task: Partial<ServerTask> = {}): Promise<{ port: number; child: ChildProcess }> {
  const models = { mnist: path.join(MODELS, 'mnist.onnx'), text: path.join(MODELS, TEXT_MODEL) };
  const own = JSON.stringify({ port: 0, models, ...task } satisfies ServerTask);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, own], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
  });
  servers.push(child);
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(chunk.toString()), child };
}

const TEXT_MODEL = 'en_number_mobile_v2.0_rec_infer.onnx';

async function connect(port: number, model = 'mnist', deadlineMs = 3000): Promise<TensorRunner> {
  const runner = await openRemote({ url: `127.0.0.1:${port}`, model, deadlineMs }, SPEC, OPTIONS);
  runners.push(runner);
  return runner;
}

const digit = { name: 'Input3', dims: [1, 1, 28, 28], data: new Float32Array(784).fill(9) };

function line(batch: number, seed: number): { name: string; dims: number[]; data: Float32Array } {
  const data = Float32Array.from({ length: batch * 3 * 32 * 64 }, (_, i) => Math.sin(i * seed));
  return { name: 'x', dims: [batch, 3, 32, 64], data };
}

async function numbers(runner: TensorRunner, feed: typeof digit): Promise<number[]> {
  const [output] = await runner.run([feed]);
  return [...(output?.data as Float32Array)];
}

async function worksAgain(runner: TensorRunner): Promise<number[]> {
  for (;;) {
    try {
      return await numbers(runner, digit);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

const haveModels = existsSync(MODELS);
if (!haveModels) process.stderr.write(`remote models are not run: no ${MODELS} (VANTAGE_ASSETS)\n`);

(haveModels ? describe : describe.skip)('a model on a server', () => {
  test('says what it takes, and answers with its numbers', async () => {
    const { port } = await serve();
    const runner = await connect(port);
    expect(runner.provider).toBe(`remote 127.0.0.1:${port} (oip-server 1, onnxruntime_onnx)`);
    expect(runner.inputs).toEqual([{ name: 'Input3', type: 'float32', dims: [1, 1, 28, 28] }]);
    expect(runner.outputs).toEqual([{ name: 'Plus214_Output_0', type: 'float32', dims: [1, 10] }]);
    const [output] = await runner.run([digit]);
    expect(output).toMatchObject({ name: 'Plus214_Output_0', dims: [1, 10], type: 'float32' });
    expect([...(output!.data as Float32Array)].every(Number.isFinite)).toBe(true);
    expect(new Set(output!.data as Float32Array).size).toBeGreaterThan(5);
  });

  test('a batch goes as one; where the server takes fewer at once, in pieces with the same result', async () => {
    const whole = await connect((await serve()).port, 'text');
    const pieces = await connect((await serve({ maxBatch: 2 })).port, 'text');
    const five = line(5, 0.37);
    const expected = await whole.run([five]);
    const dims = expected[0]!.dims;
    expect(dims[0]).toBe(5);
    for (let repeat = 0; repeat < 2; repeat += 1) {
      const got = await pieces.run([five]);
      expect(got[0]!.dims).toEqual(dims);
      const apart = [...(got[0]!.data as Float32Array)].map((value, i) =>
        Math.abs(value - Number(expected[0]!.data[i])),
      );
      expect(Math.max(...apart)).toBeLessThan(1e-5);
    }
  });

  test('typed contents in another order are the same', async () => {
    const raw = await numbers(await connect((await serve()).port), digit);
    expect(await numbers(await connect((await serve({ typed: true })).port), digit)).toEqual(raw);
  });

  test('it disappears and comes back: batches fail meanwhile, then go through', async () => {
    const { port, child } = await serve();
    const runner = await connect(port);
    const before = await numbers(runner, digit);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const gone = { code: 'REMOTE_UNAVAILABLE', message: expect.stringContaining(`127.0.0.1:${port}`) };
    await expect(runner.run([digit])).rejects.toMatchObject(gone);
    await expect(runner.run([digit])).rejects.toMatchObject(gone);
    await serve({ port });
    expect(await worksAgain(runner)).toEqual(before);
  });

  test('it hangs: the deadline ends the batch, and a new connection is made', async () => {
    const { port, child } = await serve();
    const runner = await connect(port, 'mnist', 300);
    const before = await worksAgain(runner);
    child.kill('SIGSTOP');
    await expect(runner.run([digit])).rejects.toMatchObject({
      code: 'REMOTE_UNAVAILABLE',
      message: expect.stringMatching(/deadline/i),
    });
    child.kill('SIGCONT');
    expect(await worksAgain(runner)).toEqual(before);
  });

  test('a model that the server has not', async () => {
    const { port } = await serve();
    await expect(connect(port, 'nobody')).rejects.toMatchObject({
      code: 'REMOTE_MODEL_UNKNOWN',
      message: expect.stringMatching(/has no model 'nobody'.*unknown model/),
    });
  });

  test('an input that the model cannot take fails alone', async () => {
    const runner = await connect((await serve()).port);
    await expect(runner.run([{ ...digit, dims: [1, 1, 28, 27] }])).rejects.toThrow(/784|Input3|dims/);
    expect(await numbers(runner, digit)).toHaveLength(10);
  });

  test('an answer that is too short is no answer', async () => {
    const runner = await connect((await serve({ short: true })).port);
    await expect(runner.run([digit])).rejects.toThrow('holds 36 bytes instead of 40');
  });
});

describe('no server', () => {
  test('a port where something else answers', async () => {
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = other.address() as AddressInfo;
      const opening = openRemote({ url: `127.0.0.1:${port}`, model: 'm' }, SPEC, { ...OPTIONS, openMs: 500 });
      await expect(opening).rejects.toMatchObject({ code: 'REMOTE_UNAVAILABLE' });
    } finally {
      other.close();
    }
  });

  test.each(['', 'http://host:8001', 'host:port', 'user:secret@host:8001', 'host:99999', 'a b:1'])(
    '%j is no address',
    async (url) => {
      const opening = openRemote({ url, model: 'm' }, SPEC, OPTIONS);
      await expect(opening).rejects.toMatchObject({ code: 'REMOTE_ADDRESS_INVALID' });
      await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining('secret') });
    },
  );
});
