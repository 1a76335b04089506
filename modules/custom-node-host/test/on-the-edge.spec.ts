/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-argument -- reported properties are read as a tool gets them */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { MODULES } from '@vantage/contracts';
import { EdgeRuntime } from '@vantage/local-edge';
import { preloads } from '@vantage/observability';
import { createBench, expectGone, frameOf } from './support.ts';

const module = fileURLToPath(new URL('..', import.meta.url));
const bench = createBench();

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function deployment(nodes: Record<string, unknown>) {
  const system = (image: string) => ({ type: 'docker', settings: { image, createOptions: '{}' } });
  return {
    modulesContent: {
      $edgeAgent: {
        'properties.desired': {
          schemaVersion: '1.1',
          runtime: { type: 'docker', settings: {} },
          systemModules: {
            edgeAgent: system('a'),
            edgeHub: { ...system('h'), status: 'running', restartPolicy: 'always' },
          },
          modules: {
            [MODULES.customNodeHost]: {
              type: 'docker',
              status: 'running',
              restartPolicy: 'always',
              settings: {
                image: MODULES.customNodeHost,
                createOptions: JSON.stringify({ HostConfig: { Binds: ['CustomNodeState:/var/lib/vantage'] } }),
              },
            },
          },
        },
      },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.1',
          routes: {},
          storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
        },
      },
      [MODULES.customNodeHost]: { 'properties.desired': { nodes } },
    },
  };
}

const nodeTs = (said: string): string => `
import { CustomNode } from '@vantage/custom-node';
export class Mine extends CustomNode {
  override describe() { return { image: 'none', response: 'insights' } as const; }
  override process() { return { insights: { other: { said: ${JSON.stringify(said)} } } }; }
}
`;

test('nodes come, change and go by twin edits; a bad edit stops nothing; a killed host brings them back', async () => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'vantage-host-'));
  cleanups.push(() => rmSync(stateDir, { recursive: true, force: true }));
  mkdirSync(path.join(stateDir, 'mine'));
  writeFileSync(path.join(stateDir, 'mine', 'node.ts'), nodeTs('hello'));
  const runtime = new EdgeRuntime({
    stateDir: path.join(stateDir, 'edge'),
    restartTiming: { coolOffUnitMs: 50 },
    resolveImage: () => ({
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', ...preloads(), 'src/main.ts'],
      cwd: module,
      env: { VANTAGE_METRICS_PORT: 'off', CUSTOM_NODE_ROOT: stateDir },
    }),
  });
  cleanups.push(() => runtime.stop());
  await runtime.start();
  const reported = () => runtime.twin(MODULES.customNodeHost).reported as Record<string, any>;
  const until = async (isSo: (twin: Record<string, any>) => boolean): Promise<Record<string, any>> => {
    while (!isSo(reported())) await new Promise((resolve) => runtime.once('twin', resolve));
    return reported();
  };
  const edit = (nodes: Record<string, unknown>) => runtime.patchDesired(MODULES.customNodeHost, { nodes });
  const portOf = (node: { endpoint: string }): number => Number(node.endpoint.split(':').at(-1));

  await runtime.applyDeployment(
    deployment({ fake: { builtin: 'fake-detection', port: 0 }, broken: { folder: 'nowhere', port: 0 } }),
  );
  const first = await until(
    ({ nodes }) => nodes?.fake?.state === 'running' && nodes?.broken?.error?.code === 'HOSTED_NODE_FOLDER_MISSING',
  );
  const fakePort = portOf(first['nodes'].fake);
  const client = await bench.client(fakePort);
  expect(await client.process(frameOf())).toMatchObject({
    insights: { objects: [{ label: 'car', inferenceId: 'inference_1', timestamp: { seconds: 10n, nanos: 100 } }] },
  });

  // One goes, one comes, one is misspelt: only those are touched.
  await edit({ broken: null, mine: { folder: 'mine', port: 0 }, fake: { prot: 5, deadlineMs: 'soon' } });
  const second = await until(({ nodes }) => nodes?.mine?.state === 'running' && nodes?.broken === undefined);
  expect(second['configuration'].errors).toMatchObject([{ path: 'nodes.fake.deadlineMs' }]);
  expect(second['nodes'].fake).toMatchObject({ state: 'running', pid: first['nodes'].fake.pid });
  const minePort = portOf(second['nodes'].mine);
  expect(await (await bench.client(minePort)).process(frameOf())).toMatchObject({
    insights: { other: { said: 'hello' } },
  });

  await edit({ fake: { deadlineMs: 1000, prot: null, settings: { label: 'bus' } } });
  await until(({ nodes }) => nodes?.fake?.reloads === 1);
  await expectGone(first['nodes'].fake.pid as number);
  expect(await (await bench.client(fakePort)).process(frameOf())).toMatchObject({
    insights: { objects: [{ label: 'bus' }] },
  });
  expect(reported()['nodes'].mine.pid).toBe(second['nodes'].mine.pid);

  const pids = [reported()['nodes'].fake.pid as number, reported()['nodes'].mine.pid as number];
  const host = await hostOf(pids[0]!);
  process.kill(host, 'SIGKILL');
  for (const pid of pids) await expectGone(pid);
  await until(
    ({ nodes }) =>
      nodes?.fake?.state === 'running' && nodes?.mine?.state === 'running' && !pids.includes(nodes?.fake?.pid),
  );
  expect(await (await bench.client(portOf(reported()['nodes'].mine))).process(frameOf())).toMatchObject({ ok: true });
}, 120_000);

/** The parent of a process. */
async function hostOf(pid: number): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
}
