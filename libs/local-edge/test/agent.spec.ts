import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { EdgeRuntime, EdgeRuntimeOptions, LogEvent, ModuleEvent } from '../src/index.ts';
import { IMAGE, manifest, resolveFixture, type ModuleWish } from './fixtures/deployments.ts';
import { after, cleanUp, startRuntime, temporaryFolder } from './harness.ts';

afterEach(cleanUp);

const FAST = { coolOffUnitMs: 5, maxCoolOffMs: 20, maxRestartCount: 3, stopTimeoutMs: 300 };

function start(options: Partial<EdgeRuntimeOptions> = {}): Promise<EdgeRuntime> {
  return startRuntime({ resolveImage: resolveFixture, restartTiming: FAST, ...options });
}

function moduleEvent(runtime: EdgeRuntime, fits: (event: ModuleEvent) => boolean): Promise<ModuleEvent> {
  return new Promise((resolve) => {
    runtime.on('module', (event) => {
      if (fits(event)) resolve(event);
    });
  });
}

function logLine(runtime: EdgeRuntime, fits: (event: LogEvent) => boolean): Promise<string> {
  return new Promise((resolve) => {
    runtime.on('log', (event) => {
      if (fits(event)) resolve(event.line);
    });
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const pidOf = (runtime: EdgeRuntime, id: string): number =>
  runtime.modules().find((module) => module.id === id)?.pid ?? 0;

/** The reported properties follow the events; waits until they say what is looked for. */
async function reported(runtime: EdgeRuntime, moduleId: string, wanted: object): Promise<void> {
  const read = (): unknown =>
    (runtime.twin('$edgeAgent').reported['modules'] as Record<string, unknown> | undefined)?.[moduleId];
  for (;;) {
    try {
      expect(read()).toMatchObject(wanted);
      return;
    } catch (error) {
      if ((await Promise.race([once(runtime, 'twin'), timeout()])) === 'late') throw error;
    }
  }
}

const timeout = (): Promise<'late'> =>
  new Promise((resolve) => {
    setTimeout(resolve, 5000, 'late').unref();
  });

describe('a module of a deployment', () => {
  test('runs with the environment of a device, its volumes and its log', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await start({ stateDir, hosts: { rtspsim: '127.0.0.1:8554' } });
    const out = logLine(runtime, ({ stream }) => stream === 'stdout');
    const err = logLine(runtime, ({ stream, line }) => stream === 'stderr' && !line.startsWith('<'));
    const createOptions = {
      HostConfig: { Binds: ['clips:/workspace/clips', `${stateDir}:/host:ro`] },
      Env: ['FROM_OPTIONS=o', 'MODE=no'],
    };
    await runtime.applyDeployment(
      manifest({
        cam: { mode: 'env', createOptions, env: { NUMBER: { value: 5 }, IOTEDGE_MODULEID: { value: 'x' } } },
      }),
    );
    const env = JSON.parse(await out) as Record<string, string>;
    expect(env).toMatchObject({
      IOTEDGE_DEVICEID: runtime.deviceId,
      IOTEDGE_MODULEID: 'cam',
      IOTEDGE_GATEWAYHOSTNAME: `localhost:${runtime.ports.mqtt}`,
      IOTEDGE_AUTHSCHEME: 'sasToken',
      MODE: 'env',
      NUMBER: '5',
      FROM_OPTIONS: 'o',
      FROM_RESOLVER: 'yes',
      VANTAGE_PARENT_STDIN: '1',
    });
    expect(JSON.parse(env['VANTAGE_HOSTS']!)).toEqual({ rtspsim: '127.0.0.1:8554' });
    const clips = join(stateDir, 'volumes', 'clips');
    expect(JSON.parse(env['VANTAGE_VOLUMES']!)).toEqual({ '/workspace/clips': clips, '/host': stateDir });
    expect((await stat(clips)).isDirectory()).toBe(true);
    expect(await err).toBe('said on stderr');
    await reported(runtime, 'cam', {
      runtimeStatus: 'running',
      settings: { image: IMAGE, imageHash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
      env: { NUMBER: { value: '5' } },
      statusDescription: 'running; createOptions without effect here: HostConfig.Binds (read-only)',
    });
    await runtime.stop();
    const log = await readFile(join(stateDir, 'logs', 'cam.log'), 'utf8');
    expect(log).toContain('said on stderr\n');
    expect(log.match(/without effect here: HostConfig.Binds \(read-only\)\n/g)).toHaveLength(1);
  });

  test('starts after those of a lower startup order', async () => {
    const runtime = await start();
    const order: string[] = [];
    runtime.on('module', ({ id, status }) => {
      if (status === 'running' && !order.includes(id)) order.push(id);
    });
    const wait = { mode: 'wait' };
    await runtime.applyDeployment(
      manifest({ last: wait, second: { ...wait, startupOrder: 2 }, first: { ...wait, startupOrder: 1 } }),
    );
    expect(order).toEqual(['first', 'second', 'last']);
  });

  test.each<[string, ModuleWish, string, number]>([
    ['that crashes is tried again, then failed', { mode: 'crash', restartPolicy: 'on-failure' }, 'failed', 3],
    ['that ends cleanly is tried again under "always"', { mode: 'clean' }, 'failed', 3],
    ['that crashes is left alone under "never"', { mode: 'crash', restartPolicy: 'never' }, 'failed', 0],
    ['that ends cleanly is left alone otherwise', { mode: 'clean', restartPolicy: 'on-unhealthy' }, 'stopped', 0],
  ])('%s', async (_what, wish, status, restartCount) => {
    const runtime = await start();
    const ended = moduleEvent(runtime, (event) => event.reason.startsWith('exited') && event.status === status);
    await runtime.applyDeployment(manifest({ m: wish }));
    expect(await ended).toMatchObject({ status, restartCount, exitCode: wish.mode === 'crash' ? 3 : 0 });
    await reported(runtime, 'm', { runtimeStatus: status, restartCount });
  });

  test('whose image is not known fails with that reason, the others run', async () => {
    const runtime = await start({ resolveImage: (image, id) => (id === 'bad' ? undefined : resolveFixture(image)) });
    await runtime.applyDeployment(manifest({ bad: { mode: 'wait', restartPolicy: 'never' }, good: { mode: 'wait' } }));
    expect(runtime.modules()).toEqual([
      expect.objectContaining({ id: 'bad', status: 'failed', reason: expect.stringContaining('no command is known') }),
      expect.objectContaining({ id: 'good', status: 'running' }),
    ]);
  });

  test('is started anew only when it changed, and ends when it is gone', async () => {
    const runtime = await start();
    await runtime.applyDeployment(manifest({ a: { mode: 'wait' }, b: { mode: 'wait' }, c: { mode: 'wait' } }));
    const [a, b, c] = ['a', 'b', 'c'].map((id) => pidOf(runtime, id));
    await runtime.applyDeployment(
      manifest({ a: { mode: 'wait', restartPolicy: 'never' }, b: { mode: 'wait', env: { NEW: { value: 'x' } } } }),
    );
    expect(pidOf(runtime, 'a')).toBe(a);
    expect(pidOf(runtime, 'b')).not.toBe(b);
    expect([isAlive(b!), isAlive(c!)]).toEqual([false, false]);
    expect(() => runtime.twin('c')).toThrow(expect.objectContaining({ code: 'EDGE_IDENTITY_NOT_FOUND' }));
  });

  test('stops and starts through its desired status, and restarts on request', async () => {
    const runtime = await start();
    await runtime.applyDeployment(manifest({ a: { mode: 'wait' } }));
    const first = pidOf(runtime, 'a');
    const restarted = await runtime.invokeMethod('$edgeAgent', {
      methodName: 'RestartModule',
      payload: { schemaVersion: '1.0', id: 'a' },
    });
    expect(restarted.status).toBe(200);
    expect(pidOf(runtime, 'a')).not.toBe(first);
    const stopped = moduleEvent(runtime, ({ status }) => status === 'stopped');
    await runtime.patchDesired('$edgeAgent', { modules: { a: { status: 'stopped' } } });
    expect(await stopped).toMatchObject({ id: 'a', pid: undefined });
    expect((await runtime.invokeMethod('$edgeAgent', { methodName: 'PING' })).status).toBe(200);
    expect((await runtime.invokeMethod('$edgeAgent', { methodName: 'what' })).status).toBe(400);
  });

  test('comes back with the runtime', async () => {
    const stateDir = await temporaryFolder();
    const first = await start({ stateDir });
    await first.applyDeployment(manifest({ a: { mode: 'wait' } }));
    await first.stop();
    const second = await start({ stateDir });
    expect(second.modules()).toEqual([expect.objectContaining({ id: 'a', status: 'running' })]);
  });
});

describe('a bad configuration of $edgeAgent', () => {
  test('is reported, and the modules stay', async () => {
    const runtime = await start();
    await runtime.applyDeployment(manifest({ a: { mode: 'wait' } }));
    const pid = pidOf(runtime, 'a');
    const status = new Promise<unknown>((resolve) => {
      runtime.on('twin', ({ moduleId, part, reported: all }) => {
        const last = all['lastDesiredStatus'] as { code: number } | undefined;
        if (moduleId === '$edgeAgent' && part === 'reported' && last?.code === 400) resolve(last);
      });
    });
    await runtime.patchDesired('$edgeAgent', { modules: { a: { type: 'wasm' } } });
    expect(await status).toMatchObject({
      code: 400,
      description: expect.stringContaining('$edgeAgent.modules.a.type'),
    });
    expect(isAlive(pid)).toBe(true);
  });
});

describe('nothing is left behind', () => {
  test('by a module that does not want to stop, and its children', async () => {
    const runtime = await start();
    const line = logLine(runtime, (event) => event.line.startsWith('child'));
    await runtime.applyDeployment(manifest({ s: { mode: 'stubborn' } }));
    const grandchild = Number((await line).split(' ')[1]);
    const pid = pidOf(runtime, 's');
    expect([isAlive(pid), isAlive(grandchild)]).toEqual([true, true]);
    await runtime.stop();
    expect(isAlive(pid)).toBe(false);
    await gone(grandchild);
  });

  test('by a runtime that was killed: modules notice, and deaf ones are ended at the next start', async () => {
    const stateDir = await temporaryFolder();
    const modules = JSON.stringify({ good: { mode: 'wait' }, deaf: { mode: 'stubborn' } });
    const script = join(import.meta.dirname, 'fixtures', 'runtime.ts');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, stateDir, modules], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    after(() => {
      child.kill('SIGKILL');
    });
    const seen = new Set<string>();
    let pids: Record<string, number> = {};
    for await (const line of createInterface({ input: child.stdout })) {
      if (line.startsWith('pids ')) pids = JSON.parse(line.slice(5)) as Record<string, number>;
      seen.add(line.split(' ')[0]!);
      if (['good', 'deaf', 'pids'].every((word) => seen.has(word))) break;
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    await gone(pids['good']!);
    expect(isAlive(pids['deaf']!)).toBe(true);
    await start({ stateDir, resolveImage: () => undefined });
    await gone(pids['deaf']!);
  });
});

/** A process that was killed is gone a moment later, when its parent or init has taken note. */
async function gone(pid: number): Promise<void> {
  const state = async (): Promise<string> =>
    readFile(`/proc/${pid}/stat`, 'utf8').then(
      (text) => text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3),
      () => 'gone',
    );
  const end = Date.now() + 5000;
  while (Date.now() < end && !['gone', 'Z', 'X'].includes(await state())) await pause(10);
  expect(['gone', 'Z', 'X']).toContain(await state());
}
