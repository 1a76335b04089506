import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { REPOSITORY } from '../../../e2e/support/assets.ts';
import { GraphBench, camera, custom, exporter, skill } from './support/graph-bench.ts';

const FAKE_DETECTION = path.join(REPOSITORY, 'sdk/python/examples/fake_detection.py');
const python = [process.env['VANTAGE_PYTHON'] ?? '/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import grpc, google.protobuf, numpy']).status === 0,
);
if (python === undefined) process.stderr.write('skipped: no Python with grpcio, protobuf and numpy\n');

/** The public sample's behaviour, in a process of its own. */
(python === undefined ? describe.skip : describe)('a custom node in Python', () => {
  const bench = new GraphBench();
  const children: ChildProcess[] = [];

  beforeAll(() => bench.open());
  afterEach(async () => {
    await bench.reset();
    await Promise.all(children.splice(0).map(kill));
  });
  afterAll(() => bench.close());

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** @returns the port, and how to end it at once */
  async function start(port: number): Promise<{ readonly port: number; readonly kill: () => Promise<void> }> {
    const child = spawn(python ?? 'python3', [FAKE_DETECTION, '--port', String(port)], {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: path.join(REPOSITORY, 'sdk/python') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
    const listening = /listening on (\d+)/;
    while (!listening.test(text)) await once(child.stdout, 'data');
    child.stdout.resume();
    return { port: Number(listening.exec(text)![1]), kill: () => kill(child) };
  }

  const seen = (): readonly number[] => bench.sent('out').map(({ insights_meta: meta }) => meta.objects_meta.length);

  test('H 4: every frame of a clip has its car at the time 10.0000001', async () => {
    const { port } = await start(0);
    await bench.run(skill(camera(bench.clip), [custom('py', port), exporter('out')], ['0>py', 'py>out']));
    expect(seen()).toEqual(Array(60).fill(1));
    const [car] = bench.sent('out')[59]!.insights_meta.objects_meta;
    expect(car).toMatchObject({ label: 'car', timestamp: expect.closeTo(10.0000001, 9) });
    expect(car!.bbox!.w).toBeCloseTo(0.3, 6);
  }, 60_000);

  test('H 13, 14: not there at start, killed in the middle, started again: results flow again by themselves', async () => {
    const first = await start(0);
    await first.kill();
    const source = camera(bench.clip, { pace: 'realtime', loop: true });
    await bench.engine.apply([skill(source, [custom('py', first.port), exporter('out')], ['0>py', 'py>out'])]);
    await bench.until(() => seen().length > 0 && bench.stateOf('py') === 'connecting');
    const second = await start(first.port);
    await bench.until(() => seen().at(-1) === 1);
    await second.kill();
    await bench.until(() => bench.stateOf('py') === 'connecting');
    await bench.until(() => seen().at(-1) === 0);
    await start(first.port);
    await bench.until(() => seen().at(-1) === 1);
    await bench.until(() => bench.counters('py')['handshakes'] === 2);
    expect(bench.camera.counters.reconnects).toBe(0);
  }, 60_000);
});
