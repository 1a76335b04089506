import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type Docker from 'dockerode';
import type { EdgeRuntime, EdgeRuntimeOptions } from '../src/index.ts';
import { findEngine, makeTestImage, TEST_IMAGE } from './fixtures/containers/engine.ts';
import { manifest, type ModuleWish } from './fixtures/deployments.ts';
import { cleanUp, startRuntime, temporaryFolder } from './harness.ts';

const engine = await findEngine();
if ('reason' in engine) process.stderr.write(`docker.spec.ts is skipped: ${engine.reason}\n`);
const docker = 'docker' in engine ? engine.docker : (undefined as unknown as Docker);
const describeWithEngine = 'docker' in engine ? describe : describe.skip;

beforeAll(async () => {
  if ('docker' in engine) await makeTestImage(docker);
}, 120_000);
afterEach(cleanUp, 60_000);

const TIMING = { coolOffUnitMs: 50, maxCoolOffMs: 500, maxRestartCount: 4, stopTimeoutMs: 2000 };

async function start(options: Partial<EdgeRuntimeOptions> = {}): Promise<EdgeRuntime> {
  return startRuntime({ executor: 'docker', restartTiming: TIMING, ...options });
}

/** Resolves once the state of a module is what is wanted. */
function until(
  runtime: EdgeRuntime,
  id: string,
  fits: (state: { status: string; reason: string }) => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      const state = runtime.modules().find((module) => module.id === id);
      if (state !== undefined && fits(state)) resolve();
    };
    runtime.on('module', look);
    look();
  });
}

/** The lines of a module so far and to come, by their first word. */
function words(runtime: EdgeRuntime, id: string): (word: string) => Promise<unknown> {
  const seen = new Map<string, unknown>();
  runtime.on('log', (event) => {
    const [word = '', ...rest] = event.line.split(' ');
    if (event.id === id) seen.set(word, rest.join(' '));
  });
  return (word) =>
    new Promise((resolve) => {
      const look = (): void => {
        const text = seen.get(word);
        if (typeof text === 'string') resolve(parsed(text));
      };
      runtime.on('log', look);
      look();
    });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const containersOf = (stateDirName: string): Promise<Docker.ContainerInfo[]> =>
  docker.listContainers({ all: true, filters: JSON.stringify({ label: [`vantage.edge.runtime=${stateDirName}`] }) });

async function inspect(runtime: EdgeRuntime, id: string): Promise<Docker.ContainerInspectInfo> {
  const all = await docker.listContainers({
    all: true,
    filters: JSON.stringify({ label: [`net.azure-devices.edge.module=${id}`, 'net.azure-devices.edge.owner=vantage'] }),
  });
  const pid = runtime.modules().find((module) => module.id === id)?.pid;
  for (const { Id } of all) {
    const info = await docker.getContainer(Id).inspect();
    if (info.State.Pid === pid) return info;
  }
  throw new Error(`no container of ${id}`);
}

const deploy = (
  runtime: EdgeRuntime,
  modules: Readonly<Record<string, ModuleWish>>,
  image = TEST_IMAGE,
): Promise<void> => runtime.applyDeployment(manifest(modules, image));

describeWithEngine('modules in containers', () => {
  test('reach hub, workload API, each other and their volumes, and are gone with the runtime', async () => {
    const stateDir = await temporaryFolder();
    const runtime = await start({ stateDir });
    const word = words(runtime, 'cam');
    const createOptions = {
      User: '1000',
      Labels: { mine: 'yes' },
      HostConfig: {
        Binds: ['shared:/shared', `${stateDir}:/host:ro`],
        Memory: 256 * 1024 * 1024,
        RestartPolicy: { Name: 'always' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m' } },
        Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 1024 }],
      },
    };
    const shared = join(stateDir, 'container-volumes', 'shared');
    await mkdir(shared, { recursive: true });
    await chmod(shared, 0o777);
    await deploy(runtime, {
      peer: { mode: 'wait', startupOrder: 1 },
      cam: { mode: 'look', createOptions, env: { PEER: { value: 'peer' } } },
    });
    expect(await word('env')).toMatchObject({
      IOTEDGE_MODULEID: 'cam',
      IOTEDGE_GATEWAYHOSTNAME: 'vantage-edgehub',
      IOTEDGE_WORKLOADURI: 'unix:///var/run/iotedge/workload.sock',
      PEER: 'peer',
    });
    expect([
      await word('user'),
      await word('bundle'),
      await word('mqtt'),
      await word('https'),
      await word('peer'),
    ]).toEqual([1000, true, true, true, true]);
    await word('said');
    const info = await inspect(runtime, 'cam');
    expect(info.HostConfig).toMatchObject({
      Memory: 256 * 1024 * 1024,
      Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 1024 }],
    });
    expect(info.Config.Labels).toMatchObject({ mine: 'yes', 'net.azure-devices.edge.owner': 'vantage' });
    expect(await readFile(join(shared, 'note'), 'utf8')).toBe('x');
    const { reported } = runtime.twin('$edgeAgent');
    expect(reported).toMatchObject({
      lastDesiredStatus: { code: 200 },
      modules: {
        cam: {
          runtimeStatus: 'running',
          statusDescription: 'running; createOptions without effect here: HostConfig.RestartPolicy',
          settings: { image: TEST_IMAGE, imageHash: (await docker.getImage(TEST_IMAGE).inspect()).Id },
        },
      },
    });
    const prefix = info.Config.Labels['vantage.edge.runtime']!;
    await runtime.stop();
    expect(await containersOf(prefix)).toEqual([]);
    expect(await docker.listNetworks({ filters: JSON.stringify({ name: [prefix] }) })).toEqual([]);
    expect(await readFile(join(stateDir, 'logs', 'cam.log'), 'utf8')).toContain('said on stderr\n');
  }, 60_000);

  test('are started again by their policy: after a crash, and when they are stopped from outside', async () => {
    const runtime = await start();
    await deploy(runtime, { bad: { mode: 'crash' }, good: { mode: 'wait' } });
    await until(runtime, 'bad', ({ status }) => status === 'failed');
    expect(runtime.modules().find(({ id }) => id === 'bad')).toMatchObject({
      restartCount: 4,
      exitCode: 3,
      reason: 'exited with status 3',
    });
    const { Id: id, State: state } = await inspect(runtime, 'good');
    await docker.getContainer(id).stop({ t: 2 });
    await until(runtime, 'good', ({ status }) => status === 'running' && pidOf(runtime) !== state.Pid);
    expect((await inspect(runtime, 'good')).Id).toBe(id);
    const removed = until(runtime, 'good', ({ status }) => status !== 'running');
    await docker.getContainer(id).remove({ force: true });
    await removed;
    await until(runtime, 'good', ({ status }) => status === 'running');
    expect((await inspect(runtime, 'good')).Id).not.toBe(id);
  }, 60_000);

  test('tell why they cannot be: no image, a mount that the engine refuses, no memory left', async () => {
    const runtime = await start();
    const never = { mode: 'wait', restartPolicy: 'never' };
    await deploy(runtime, {
      greedy: {
        ...never,
        mode: 'greedy',
        createOptions: { HostConfig: { Memory: 96 * 1024 * 1024, MemorySwap: 96 * 1024 * 1024 } },
      },
      mount: {
        ...never,
        createOptions: { HostConfig: { Mounts: [{ Type: 'bind', Source: '/not/there', Target: '/x' }] } },
      },
    });
    expect(runtime.modules().find(({ id }) => id === 'mount')).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('bind source path does not exist'),
    });
    await until(runtime, 'greedy', ({ status }) => status === 'failed');
    expect(runtime.modules().find(({ id }) => id === 'greedy')?.reason).toMatch(/^out of memory/);
    await deploy(runtime, { gone: { ...never, imagePullPolicy: 'never' } }, 'vantage/not-there:1');
    expect(runtime.modules()).toEqual([
      expect.objectContaining({ status: 'failed', reason: expect.stringContaining('imagePullPolicy is "never"') }),
    ]);
    expect(runtime.twin('$edgeAgent').reported['lastDesiredStatus']).toMatchObject({
      code: 500,
      description: expect.stringContaining('gone: the image "vantage/not-there:1" is not to be had'),
    });
  }, 60_000);

  test('that a killed runtime left behind are removed at the next start', async () => {
    const stateDir = await temporaryFolder();
    const first = await start({ stateDir });
    await deploy(first, { a: { mode: 'wait' } });
    const prefix = (await inspect(first, 'a')).Config.Labels['vantage.edge.runtime']!;
    await first.stop();
    const orphan = await docker.createContainer({
      Image: TEST_IMAGE,
      name: `${prefix}-left`,
      Labels: { 'vantage.edge.runtime': prefix },
    });
    await orphan.start();
    const second = await start({ stateDir });
    expect((await containersOf(prefix)).map(({ Names }) => Names)).toEqual([[`/${prefix}-a`]]);
    expect(second.modules()).toEqual([expect.objectContaining({ id: 'a', status: 'running' })]);
  }, 60_000);
});

function pidOf(runtime: EdgeRuntime): number | undefined {
  return runtime.modules().find(({ id }) => id === 'good')?.pid;
}
