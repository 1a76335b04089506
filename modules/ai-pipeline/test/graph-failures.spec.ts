import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { NodeObject } from '@vantage/custom-node';
import type { FilterNode } from '@vantage/skill';
import { GraphBench, TestNode, camera, custom, exporter, skill, type Sent } from './support/graph-bench.ts';

const CAR: NodeObject = { label: 'car', confidence: 0.9, bbox: { l: 0.1, t: 0.2, w: 0.3, h: 0.4 } };
const blind = { image: 'none', response: 'insights' } as const;
const BESIDE: FilterNode = { kind: 'filter', id: 'beside', labels: [], minConfidence: 0 };
const answer = { insights: { objects: [CAR] } };

describe('custom nodes that fail', () => {
  const bench = new GraphBench();
  const isSeen = (node: string): boolean => (bench.sent(node).at(-1)?.insights_meta.objects_meta.length ?? 0) > 0;
  const live = () => camera(bench.clip, { pace: 'realtime', loop: true });
  /** A free port: the server that had it is gone. */
  const freePort = async (): Promise<number> => {
    const server = await bench.serve(new TestNode(blind));
    await server.stop();
    return server.port;
  };

  beforeAll(() => bench.open());
  afterEach(() => bench.reset());
  afterAll(() => bench.close());

  test('H 13: absent at start: connecting, frames pass; when it is there results flow, and nothing was restarted', async () => {
    const port = await freePort();
    await bench.engine.apply([skill(live(), [custom('car', port), exporter('out')], ['0>car', 'car>out'])]);
    expect((await bench.more('out', 5)).every(({ insights_meta: meta }) => meta.objects_meta.length === 0)).toBe(true);
    await bench.until(() => bench.stateOf('car') === 'connecting');
    expect(bench.engine.status()[0]!.state).toBe('degraded');
    expect(bench.problems[0]).toMatchObject({ code: 'CUSTOM_NODE_UNREACHABLE' });
    await bench.serve(new TestNode(blind, () => answer), port);
    await bench.until(() => isSeen('out') && bench.stateOf('car') === 'ready');
    expect(bench.engine.status()[0]!.state).toBe('running');
    expect(bench.camera.counters.reconnects).toBe(0);
  }, 60_000);

  test('H 13: a file that is read as fast as possible waits for its node', async () => {
    const port = await freePort();
    const graph = skill(camera(bench.clip), [custom('car', port), exporter('out')], ['0>car', 'car>out']);
    await bench.engine.apply([graph]);
    await bench.until(() => bench.problems.length > 0);
    await bench.serve(new TestNode(blind, () => answer), port);
    await bench.until(() => bench.engine.status()[0]?.cameras[0]?.state === 'ended');
    expect(bench.sent('out').map(({ insights_meta: meta }) => meta.objects_meta.length)).toEqual(Array(60).fill(1));
  }, 60_000);

  test('H 14: killed in the middle: it comes back by itself, and the branch beside it keeps its frames', async () => {
    const server = await bench.serve(new TestNode(blind, () => answer));
    const { port } = server;
    const nodes = [custom('car', port), BESIDE, exporter('a'), exporter('b')];
    await bench.engine.apply([skill(live(), nodes, ['0>car', 'car>a', '0>beside', 'beside>b'])]);
    await bench.until(() => isSeen('a'));
    const from = bench.sent('b').length;
    await server.stop();
    await bench.until(() => bench.stateOf('car') === 'connecting');
    await bench.more('b', 15);
    await bench.serve(new TestNode(blind, () => answer), port);
    await bench.until(() => bench.stateOf('car') === 'ready' && isSeen('a'));
    expect(bench.counters('car')['handshakes']).toBe(2);
    expectEvery(bench.sent('b').slice(from));
  }, 60_000);

  test.each(['pass', 'drop'] as const)(
    'H 15: it raises once: exactly that frame goes without, or not at all (%s)',
    async (onFailure) => {
      const node = new TestNode(blind, ({ frameId }) => {
        if (frameId === '7') throw new Error('once');
        return answer;
      });
      const { port } = await bench.serve(node);
      await bench.run(
        skill(camera(bench.clip), [custom('car', port, { onFailure }), exporter('out')], ['0>car', 'car>out']),
      );
      const without = bench.sent('out').filter(({ insights_meta: meta }) => meta.objects_meta.length === 0);
      expect(without.map(({ frame_id: id }) => id)).toEqual(onFailure === 'pass' ? ['7'] : []);
      expect(bench.sent('out')).toHaveLength(onFailure === 'pass' ? 60 : 59);
      expect(bench.problems.map(({ message }) => message)).toEqual([expect.stringContaining('once')]);
    },
    60_000,
  );

  test('H 16: it hangs: the call ends at its deadline, and the branch beside it gets every frame in time', async () => {
    const { port } = await bench.serve(new TestNode(blind, () => new Promise(() => undefined)));
    const nodes = [custom('hangs', port, { deadlineMs: 300 }), BESIDE, exporter('a'), exporter('b')];
    await bench.engine.apply([skill(live(), nodes, ['0>hangs', 'hangs>a', '0>beside', 'beside>b'])]);
    await bench.until(() => bench.problems.some(({ code }) => code === 'CUSTOM_NODE_DEADLINE'));
    expectEvery(await bench.more('b', 30));
    await bench.until(() => bench.sent('a').length > 0);
    await bench.until(() => bench.camera.counters.nodes['hangs']!.edges['0']!.dropped > 0);
  }, 60_000);

  test('a node that takes 500 ms drops frames on its own branch, counted; the other one has them all', async () => {
    const slow = new TestNode(blind, () => new Promise((resolve) => setTimeout(() => resolve(answer), 500)));
    const { port } = await bench.serve(slow);
    const nodes = [custom('slow', port), BESIDE, exporter('a'), exporter('b')];
    await bench.engine.apply([skill(live(), nodes, ['0>slow', 'slow>a', '0>beside', 'beside>b'])]);
    await bench.until(() => isSeen('a'));
    expectEvery(await bench.more('b', 60));
    await bench.until(() => bench.camera.counters.nodes['slow']!.edges['0']!.dropped >= 20);
    const late = bench.sent('a').map(({ frame_id: id }) => Number(id));
    expect(late).toEqual([...late].sort((a, b) => a - b));
  }, 60_000);

  test('two calls at once: the answers go on in the order of the frames', async () => {
    let calls = 0;
    const node = new TestNode(blind, () => {
      calls += 1;
      return new Promise((resolve) => setTimeout(() => resolve(answer), calls % 2 === 0 ? 1 : 15));
    });
    const { port } = await bench.serve(node);
    await bench.run(
      skill(camera(bench.clip), [custom('car', port, { inFlight: 3 }), exporter('out')], ['0>car', 'car>out']),
    );
    const ids = bench.sent('out').map(({ frame_id: id }) => Number(id));
    expect(ids).toEqual(Array.from({ length: 60 }, (_, index) => index));
  }, 60_000);
});

/** No frame is missing. */
function expectEvery(sent: readonly Sent[]): void {
  const ids = sent.map(({ frame_id: id }) => Number(id));
  expect(ids).toEqual(ids.map((_, index) => ids[0]! + index));
}
