import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { NodeAnswer, NodeFrame, NodeObject } from '@vantage/custom-node';
import type { FilterNode, TrackerNode } from '@vantage/skill';
import { GraphBench, TestNode, camera, custom, exporter, skill } from './support/graph-bench.ts';

const CAR: NodeObject = { label: 'car', confidence: 0.9, bbox: { l: 0.1, t: 0.2, w: 0.3, h: 0.4 } };
const BUS: NodeObject = { label: 'bus', confidence: 0.5, bbox: { l: 0.5, t: 0.5, w: 0.25, h: 0.25 } };
const TRACKER: TrackerNode = { kind: 'tracker', id: 'tracker', algorithm: 'light' };
const insights = { image: 'numpy', response: 'insights' } as const;
const blind = { image: 'none', response: 'insights' } as const;

const only = (...labels: string[]): FilterNode => ({ kind: 'filter', id: 'filter', labels, minConfidence: 0 });

function flipped({ pixels, width, height }: NodeFrame): NodeAnswer {
  const result = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    const from = (i - (i % width) + (width - 1 - (i % width))) * 3;
    pixels!.copy(result, i * 3, from, from + 3);
  }
  return { image: { width, height, colorFormat: 'BGR', pixels: result } };
}

/** B, G, R in the middle of the left half. */
const leftOf = ({ pixels, width, height }: NodeFrame): number[] => {
  const at = (Math.floor(height / 2) * width + Math.floor(width / 4)) * 3;
  return [...pixels!.subarray(at, at + 3)].map((value) => Math.round(value / 255));
};
const RED = [0, 0, 1];
const BLUE = [1, 0, 0];

describe('graphs behind a camera', () => {
  const bench = new GraphBench();
  const labels = (node: string): string[] =>
    bench.sent(node).map(({ insights_meta: meta }) => meta.objects_meta.map(({ label }) => label).join(' '));

  beforeAll(() => bench.open());
  afterEach(() => bench.reset());
  afterAll(() => bench.close());

  test('H 4: camera, custom node, export: every frame has its object, ids are filled, no pixels', async () => {
    const node = new TestNode(insights, () => ({
      insights: { objects: [{ ...CAR, timestamp: { seconds: 10n, nanos: 100 } }] },
    }));
    const { port } = await bench.serve(node);
    await bench.run(skill(camera(bench.clip), [custom('car', port), exporter('out')], ['0>car', 'car>out']));
    const sent = bench.sent('out');
    expect(sent.map(({ frame_id: id }) => id)).toEqual(Array.from({ length: 60 }, (_, index) => String(index)));
    expect(labels('out')).toEqual(Array(60).fill('car'));
    expect(sent[59]).toMatchObject({ instance_id: 'instance-1', skill_id: 'skill-1', device_id: 'gate' });
    const [object] = sent[0]!.insights_meta.objects_meta;
    expect(object!.timestamp).toBeCloseTo(10.0000001, 9);
    expect(object!.bbox!.l).toBeCloseTo(0.1, 6);
    expect(object!.bbox!.h).toBeCloseTo(0.4, 6);
    expect(JSON.stringify(sent[0])).not.toMatch(/pixels|image_pointer/);
    expect(node.handshakes[0]).toEqual({ instance: 'instance-1', skill: 'skill-1', device: 'gate' });
    expect(bench.counters('car')).toMatchObject({ handshakes: 1, answered: 60, failures: {} });
    const [first, second] = node.seen;
    expect(first).toMatchObject({ frameId: '0', width: 64, height: 48, colorFormat: 'BGR' });
    expect(leftOf(first!)).toEqual(RED);
    expect(Number(second!.timestamp.seconds) * 1000 + second!.timestamp.nanos / 1e6).toBeCloseTo(
      sent[1]!.timestamp * 1000,
      0,
    );
  }, 60_000);

  test('H 7: a node that wants no image gets none, but the size, upstream insights and the first region', async () => {
    const { port: first } = await bench.serve(new TestNode(insights, () => ({ insights: { objects: [CAR, BUS] } })));
    const node = new TestNode(blind);
    const { port } = await bench.serve(node);
    const corners = [
      [0, 0],
      [0, 0.5],
      [0.5, 0.5],
    ] as const;
    const source = camera(bench.clip, { regions: [{ label: 'door', color: '#ff0000', coordinates: corners }] });
    await bench.run(skill(source, [custom('a', first), custom('b', port), exporter('out')], ['0>a', 'a>b', 'b>out']));
    expect(node.seen).toHaveLength(60);
    const [seen] = node.seen;
    expect(seen).toMatchObject({ width: 64, height: 48, roi: { name: 'door', type: 'polygon' } });
    expect(JSON.parse(seen!.roi!.value)).toEqual(corners);
    expect(seen!.pixels?.length ?? 0).toBe(0);
    expect(seen!.insights.objects.map(({ label }) => label)).toEqual(['car', 'bus']);
    expect(seen!.insights.objects[0]!.bbox!.w).toBeCloseTo(0.3, 6);
    expect(labels('out')).toEqual(Array(60).fill('car bus'));
  }, 60_000);

  test.each(['off', 'auto'] as const)(
    'H 8: an image that is answered takes the place of the picture behind the node only; objects stay (shared memory %s)',
    async (sharedMemory) => {
      const { port: cars } = await bench.serve(new TestNode(blind, () => ({ insights: { objects: [CAR] } })));
      const { port: flip } = await bench.serve(new TestNode({ image: 'numpy', response: 'image' }, flipped));
      const [behind, beside] = [new TestNode(insights), new TestNode(insights)];
      const ports = await Promise.all([behind, beside].map((node) => bench.serve(node)));
      const nodes = [
        ...[
          custom('cars', cars),
          custom('flip', flip, { sharedMemory }),
          custom('behind', ports[0]!.port, { sharedMemory }),
        ],
        ...[custom('beside', ports[1]!.port), exporter('out')],
      ];
      const edges = ['0>cars', 'cars>flip', 'flip>behind', 'behind>out', 'cars>beside'];
      await bench.run(skill(camera(bench.clip), nodes, edges));
      expect(behind.seen.map(leftOf)).toEqual(Array(60).fill(BLUE));
      expect(beside.seen.map(leftOf)).toEqual(Array(60).fill(RED));
      const [object] = bench.sent('out')[0]!.insights_meta.objects_meta;
      expect(object!.bbox!.l).toBeCloseTo(0.1, 6);
      expect(labels('out')).toEqual(Array(60).fill('car'));
      expect(bench.problems).toEqual([]);
    },
    60_000,
  );

  test('an image of another size: boxes keep to the camera, and fractions of the new picture mean the same places', async () => {
    const small = (): NodeAnswer => ({
      image: { width: 16, height: 12, colorFormat: 'RGB', pixels: Buffer.alloc(16 * 12 * 3, Buffer.from([255, 0, 0])) },
      insights: { objects: [CAR] },
    });
    const { port } = await bench.serve(new TestNode({ image: 'numpy', response: 'imageAndInsights' }, small));
    const node = new TestNode(insights, () => ({ insights: { objects: [BUS] } }));
    const { port: next } = await bench.serve(node);
    const nodes = [custom('small', port), custom('next', next), exporter('out')];
    await bench.run(skill(camera(bench.clip), nodes, ['0>small', 'small>next', 'next>out']));
    expect(node.seen[0]).toMatchObject({ width: 16, height: 12 });
    expect(leftOf(node.seen[0]!)).toEqual(RED);
    expect(node.seen[0]!.insights.objects[0]!.bbox!.l).toBeCloseTo(0.1, 6);
    const [car, bus] = bench.sent('out')[59]!.insights_meta.objects_meta;
    expect([car!.bbox!.w, bus!.bbox!.l]).toEqual([expect.closeTo(0.3, 5), expect.closeTo(0.5, 5)]);
  }, 60_000);

  test('H 9, 10: attributes, tracking, events, other_meta and times come through; replace replaces; EMPTY changes nothing', async () => {
    const { port: cars } = await bench.serve(new TestNode(blind, () => ({ insights: { objects: [CAR, BUS] } })));
    const rich: NodeObject = {
      ...{ label: 'plate', confidence: 0.75, timestamp: { seconds: 5n, nanos: 250_000_000 }, inferenceId: 'i1' },
      attributes: [{ name: 'colour', label: 'red', confidence: 0.5 }],
      tracking: { id: '17', speed: 1.5, direction: { x: 1, y: 0 } },
    };
    const answer = {
      objects: [rich],
      events: [{ type: 'seen', id: 'e1', relatedIds: ['i1'], properties: { lane: '2' } }],
      other: { weather: 'rain' },
    };
    const { port: told } = await bench.serve(new TestNode(blind, () => ({ insights: answer })));
    const { port: silent } = await bench.serve(new TestNode({ image: 'none', response: 'empty' }));
    const nodes = [
      ...[
        custom('cars', cars),
        custom('add', told),
        custom('swap', told, { merge: 'replace' }),
        custom('empty', silent),
      ],
      ...[exporter('added'), exporter('swapped'), exporter('same')],
    ];
    const edges = ['0>cars', 'cars>add', 'add>added', 'cars>swap', 'swap>swapped', 'cars>empty', 'empty>same'];
    await bench.run(skill(camera(bench.clip), nodes, edges));
    expect(labels('added')).toEqual(Array(60).fill('car bus plate'));
    expect(labels('swapped')).toEqual(Array(60).fill('plate'));
    expect(labels('same')).toEqual(Array(60).fill('car bus'));
    const { insights_meta: meta } = bench.sent('added')[7]!;
    expect(meta.objects_meta[2]).toMatchObject({
      timestamp: 5.25,
      bbox: null,
      attributes: [{ name: 'colour', label: 'red' }],
      tracking_info: { tracking_id: '17', speed: 1.5 },
    });
    expect(meta.events_meta).toMatchObject([{ type: 'seen', event_id: 'e1', related_ids: ['i1'] }]);
    expect(meta.other_meta).toEqual({ weather: 'rain' });
    expect(bench.sent('same')[7]!.insights_meta.events_meta).toBeUndefined();
  }, 60_000);

  test('H 21: branches do not hear of each other', async () => {
    const { port } = await bench.serve(new TestNode(blind, () => ({ insights: { objects: [CAR, BUS] } })));
    const nodes = [custom('cars', port), only('bus'), exporter('a'), exporter('b')];
    await bench.run(skill(camera(bench.clip), nodes, ['0>cars', 'cars>filter', 'filter>a', 'cars>b']));
    expect(labels('a')).toEqual(Array(60).fill('bus'));
    expect(labels('b')).toEqual(Array(60).fill('car bus'));
  }, 60_000);

  test('H 20: 5 of 30 frames a second, numbered one after the other', async () => {
    const { port } = await bench.serve(new TestNode(blind));
    const graph = skill(camera(bench.clip, { maxFps: 5 }), [custom('n', port), exporter('out')], ['0>n', 'n>out']);
    await bench.run(graph);
    expect(bench.sent('out').map(({ frame_id: id }) => Number(id))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const times = bench.sent('out').map(({ timestamp }) => timestamp);
    expect(times[9]! - times[0]!).toBeCloseTo(1.8, 2);
  }, 60_000);

  test('a tracker behind a custom node, and live changes: nodes that are as before keep ids, connection and camera', async () => {
    const node = new TestNode(blind, () => ({ insights: { objects: [CAR, BUS] } }));
    const { port } = await bench.serve(node);
    const source = camera(bench.clip, { pace: 'realtime', loop: true });
    const nodes = (filter: FilterNode) => [custom('cars', port), TRACKER, filter, exporter('out')];
    const edges = ['0>cars', 'cars>tracker', 'tracker>filter', 'filter>out'];
    await bench.engine.apply([skill(source, nodes(only('car')), edges)]);
    await bench.until(() => bench.sent('out').at(-1)?.insights_meta.objects_meta[0]?.tracking_info !== undefined);
    const id = bench.sent('out').at(-1)!.insights_meta.objects_meta[0]!.tracking_info!.tracking_id;

    const steps = await bench.engine.apply([skill(source, nodes(only('car', 'bus')), edges)]);
    expect(steps.map(({ action }) => action)).toEqual(['setNode']);
    await bench.until(() => labels('out').at(-1) === 'car bus');
    const second = new TestNode(blind, () => ({ insights: { objects: [], other: { second: 'yes' } } }));
    const { port: other } = await bench.serve(second);
    const more = [...nodes(only('car')), custom('second', other)];
    const longer = ['0>cars', 'cars>tracker', 'tracker>second', 'second>filter', 'filter>out'];
    expect((await bench.engine.apply([skill(source, more, longer)])).map(({ action }) => action)).toEqual(['setGraph']);
    await bench.until(() => bench.sent('out').at(-1)?.insights_meta.other_meta?.['second'] === 'yes');
    const last = bench.sent('out').at(-1)!;
    expect(last.insights_meta.objects_meta.map(({ label }) => label)).toEqual(['car']);
    expect(last.insights_meta.objects_meta[0]!.tracking_info!.tracking_id).toBe(id);
    expect(bench.counters('cars')['handshakes']).toBe(1);
    expect(bench.camera.counters.reconnects).toBe(0);
    const ids = bench.sent('out').map(({ frame_id: frame }) => Number(frame));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    expect(bench.problems).toEqual([]);
  }, 60_000);
});
