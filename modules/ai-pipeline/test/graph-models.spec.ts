import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { resolveFfmpeg } from '@vantage/media';
import type { FilterNode, GraphNode, ModelNode, SourceNode, TrackerNode } from '@vantage/skill';
import { ASSETS, describeWithAssets } from '../../../e2e/support/assets.ts';
import { GraphBench, TestNode, camera, custom, exporter, skill, type Sent } from './support/graph-bench.ts';

const PERSONS: ModelNode = { kind: 'model', id: 'persons', role: 'primary', configFile: 'persons.txt' };
const COLOUR: ModelNode = { kind: 'model', id: 'colour', role: { secondary: 0 }, configFile: 'colour.txt' };
const TRACKER: TrackerNode = { kind: 'tracker', id: 'tracker', algorithm: 'light' };
const ALL: FilterNode = { kind: 'filter', id: 'all', labels: [], minConfidence: 0 };

describeWithAssets('models in any place of a graph', () => {
  const bench = new GraphBench();
  let people: string;

  beforeAll(async () => {
    await bench.open();
    const ffmpeg = await resolveFfmpeg();
    const file = path.join(bench.folder, 'people.mp4');
    const encode = ['-t', '1', '-c:v', 'libx264', '-preset', 'veryfast', '-g', '12', '-an', '-y', file];
    execFileSync(ffmpeg.path, ['-v', 'error', '-i', path.join(ASSETS, 'videos/o4n-people.mp4'), ...encode]);
    people = pathToFileURL(file).href;
    for (const name of ['FastestDet', 'litemodel_cls_96x_r1']) {
      copyFileSync(path.join(ASSETS, `models/${name}.onnx`), path.join(bench.folder, `${name}.onnx`));
    }
    write('persons.txt', 7, 'onnx-file=FastestDet.onnx', 'net-scale-factor=0.00392156862745098');
    const onObjects = ['network-type=1', 'process-mode=2', 'operate-on-gie-id=-1', 'classifier-threshold=0'];
    write('colour.txt', 2, 'onnx-file=litemodel_cls_96x_r1.onnx', 'net-scale-factor=0.0039', ...onObjects);
  }, 30_000);
  afterEach(() => bench.reset());
  afterAll(() => bench.close());

  function write(name: string, id: number, ...lines: string[]): void {
    const head = ['[property]', `gie-unique-id=${id}`, 'cluster-mode=2', ...lines];
    const text = [...head, '[class-attrs-all]', 'pre-cluster-threshold=0.2', ''].join('\n');
    writeFileSync(path.join(bench.folder, name), text);
  }

  async function documents(
    nodes: readonly GraphNode[],
    edges: readonly string[],
    more: Partial<SourceNode> = {},
  ): Promise<readonly Sent[]> {
    await bench.run(skill(camera(people, more), [...nodes, exporter('out')], edges));
    const sent = [...bench.sent('out')];
    expect(bench.problems).toEqual([]);
    await bench.reset();
    return sent;
  }
  /** Without times: two runs differ in them. */
  const objects = (sent: readonly Sent[]): string =>
    JSON.stringify(
      sent.map(({ insights_meta: meta }) => meta.objects_meta),
      (key, value: unknown) => (key === 'timestamp' ? undefined : value),
    );

  test('H 27: a classifier sees each object alone; behind a filter it says the same as in the line of models', async () => {
    const line = await documents(
      [PERSONS, TRACKER, COLOUR],
      ['0>persons', 'persons>tracker', 'tracker>colour', 'colour>out'],
    );
    const behind = await documents(
      [PERSONS, TRACKER, ALL, COLOUR],
      ['0>persons', 'persons>tracker', 'tracker>all', 'all>colour', 'colour>out'],
    );
    expect(line.length).toBeGreaterThanOrEqual(20);
    expect(objects(behind)).toBe(objects(line));
    const two = line.find(
      ({ insights_meta: meta }) => meta.objects_meta.filter(({ attributes }) => attributes.length > 0).length >= 2,
    );
    expect(two).toBeDefined();
  }, 120_000);

  test('a detector behind a custom node looks at the full picture, and finds what it finds in front', async () => {
    const { port } = await bench.serve(new TestNode({ image: 'none', response: 'empty' }));
    const nodes = [custom('before', port), PERSONS];
    const behind = await documents(nodes, ['0>before', 'before>persons', 'persons>out']);
    const front = await documents([PERSONS], ['0>persons', 'persons>out']);
    expect(behind.length).toBe(front.length);
    const count = (sent: readonly Sent[]): number =>
      sent.reduce((sum, { insights_meta: meta }) => sum + meta.objects_meta.length, 0);
    // Scaled by the session instead of ffmpeg: not the same pixels, the same people.
    expect(Math.abs(count(behind) - count(front))).toBeLessThan(0.2 * count(front));
    expect(count(front)).toBeGreaterThan(front.length);
  }, 120_000);

  test('a crop: boxes keep to the whole frame, and a custom node sees the crop and fractions of it', async () => {
    const node = new TestNode({ image: 'numpy', response: 'insights' }, () => ({
      insights: { objects: [{ label: 'half', confidence: 1, bbox: { l: 0.5, t: 0, w: 0.5, h: 1 } }] },
    }));
    const { port } = await bench.serve(node);
    const crop = { left: 200, top: 50, width: 400, height: 300 };
    const sent = await documents([PERSONS, custom('half', port)], ['0>persons', 'persons>half', 'half>out'], { crop });
    expect(node.seen[0]).toMatchObject({ width: 400, height: 300 });
    const half = sent[0]!.insights_meta.objects_meta.at(-1)!;
    expect(half.bbox).toEqual({
      ...{ l: expect.closeTo(400 / 800, 5), t: expect.closeTo(50 / 450, 5) },
      ...{ w: expect.closeTo(200 / 800, 5), h: expect.closeTo(300 / 450, 5) },
    });
    for (const { insights } of node.seen) {
      for (const { bbox } of insights.objects) expect(bbox!.l).toBeGreaterThan(-0.01);
    }
  }, 120_000);

  test('live: a model and a tracker move out of the line of models and back; tracks go on, and frames stay in order', async () => {
    const source = camera(people, { pace: 'realtime', loop: true });
    const block = (graph: ReturnType<typeof skill>) => ({
      ...graph,
      edges: graph.edges.map((edge) => ({ ...edge, queue: { capacity: 1, policy: 'block' as const } })),
    });
    const line = block(
      skill(
        source,
        [PERSONS, TRACKER, COLOUR, exporter('out')],
        ['0>persons', 'persons>tracker', 'tracker>colour', 'colour>out'],
      ),
    );
    const longer = block(
      skill(
        source,
        [PERSONS, ALL, TRACKER, COLOUR, exporter('out')],
        ['0>persons', 'persons>all', 'all>tracker', 'tracker>colour', 'colour>out'],
      ),
    );
    const highest = (sent: readonly Sent[]): number =>
      Math.max(
        0,
        ...sent.flatMap(({ insights_meta: meta }) =>
          meta.objects_meta.map(({ tracking_info: info }) => Number(info?.tracking_id ?? 0)),
        ),
      );
    const hasColour = ({ insights_meta: meta }: Sent): boolean =>
      meta.objects_meta.some(({ attributes }) => attributes.length > 0);
    await bench.engine.apply([line]);
    await bench.until(() => bench.sent('out').some(hasColour));
    const known = highest(bench.sent('out'));
    for (const graph of [longer, line]) {
      const before = bench.sent('out').length;
      await bench.engine.apply([graph]);
      await bench.until(() => (graph === longer) === 'all' in bench.camera.counters.nodes);
      await bench.more('out', 10);
      await bench.until(() => bench.sent('out').slice(before).some(hasColour));
    }
    expect(highest(bench.sent('out'))).toBeGreaterThanOrEqual(known);
    const ids = bench.sent('out').map(({ frame_id: id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    // What is at a node that leaves the branches goes with it: a queue of one, and the frame at work.
    expect(ids.at(-1)! + 1 - ids.length).toBeLessThanOrEqual(2 * 3 * 2);
    expect(bench.camera.counters.reconnects).toBe(0);
    expect(bench.problems).toEqual([]);
  }, 120_000);
});
