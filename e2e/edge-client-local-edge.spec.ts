import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { EdgeModule, type EdgeModuleOptions } from '@vantage/edge-client';
import { EdgeRuntime } from '@vantage/local-edge';
import { createLogger } from '@vantage/observability';

const ROUTES = {
  schemaVersion: '1.1',
  routes: { toB: 'FROM /messages/modules/a/outputs/out INTO BrokeredEndpoint("/modules/b/inputs/in")' },
  storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
};

const cleanups: (() => Promise<void>)[] = [];
const lines: string[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  lines.length = 0;
});

async function startRuntime(stateDir: string): Promise<EdgeRuntime> {
  const runtime = new EdgeRuntime({ stateDir });
  cleanups.push(() => runtime.stop());
  await runtime.start();
  return runtime;
}

async function connect(env: NodeJS.ProcessEnv, options: Partial<EdgeModuleOptions> = {}): Promise<EdgeModule> {
  const logger = createLogger({ module: 'test', destination: { write: (line) => void lines.push(line) } });
  const module = new EdgeModule({ logger, env, backoff: { baseMs: 20, capMs: 200 }, coalesceMs: 1, ...options });
  cleanups.push(() => module.close());
  module.start();
  await module.ready();
  return module;
}

function desiredWhere(
  module: EdgeModule,
  condition: (desired: Readonly<Record<string, unknown>>) => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const off = module.onDesired((desired) => {
      if (!condition(desired)) return;
      off();
      resolve();
    });
  });
}

test('two modules meet over the real hub, and go on after a restart of the runtime in the middle', async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'vantage-edge-client-'));
  cleanups.push(() => rm(stateDir, { recursive: true, force: true }));
  let runtime = await startRuntime(stateDir);
  await runtime.patchDesired('$edgeHub', ROUTES);
  const [envA, envB] = [await runtime.moduleEnvironment('a'), await runtime.moduleEnvironment('b')];
  await runtime.patchDesired('a', { zones: [1, 2, 3], gone: true });
  const [a, b] = [await connect(envA), await connect(envB)];

  expect(a.twin.desired).toEqual({ zones: [1, 2, 3], gone: true });
  a.onMethod('add', (payload) => ({
    status: 200,
    payload: { sum: (payload as number[]).reduce((sum, n) => sum + n, 0) },
  }));
  const received: unknown[] = [];
  let onReceived: () => void = () => undefined;
  b.onInput('in', (message) => {
    received.push([message.json(), message.properties['kind'], message.fromModule]);
    onReceived();
  });
  const receivedCount = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onReceived = () => {
        if (received.length >= count) resolve();
      };
      onReceived();
    });

  await a.send('out', { n: 1 }, { kind: 'é/&=' });
  await receivedCount(1);
  await a.report({ phase: 'first', list: [1, 2] });
  expect(runtime.twin('a').reported).toMatchObject({ phase: 'first', list: [1, 2] });
  const patched = desiredWhere(a, (desired) => !('gone' in desired));
  await runtime.patchDesired('a', { zones: [9], gone: null });
  await patched;
  expect(a.twin.desired).toEqual({ zones: [9] });

  await runtime.stop();
  const during = [2, 3].map((n) => a.send('out', { n }, { kind: 'later' }));
  const reported = a.report({ phase: 'second' });
  runtime = await startRuntime(stateDir);
  await Promise.all([...during, reported]);
  await receivedCount(3);
  expect(received).toEqual([
    [{ n: 1 }, 'é/&=', 'a'],
    [{ n: 2 }, 'later', 'a'],
    [{ n: 3 }, 'later', 'a'],
  ]);
  expect(runtime.twin('a').reported).toMatchObject({ phase: 'second', list: [1, 2] });
  const again = desiredWhere(a, (desired) => desired['after'] === true);
  await runtime.patchDesired('a', { after: true });
  await again;
  expect(a.twin.desired).toEqual({ zones: [9], after: true });
  const reply = await runtime.invokeMethod('a', { methodName: 'add', payload: [1, 2, 3] });
  expect(reply).toMatchObject({ status: 200, payload: { sum: 6 } });
  expect(lines.filter((line) => line.startsWith('<3>'))).toEqual([]);
});
