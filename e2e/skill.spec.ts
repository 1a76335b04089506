import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CustomNode, CustomNodeServer, type NodeAnswer, type NodeFrame, type NodeIds } from '@vantage/custom-node';
import { iou, type Box } from '@vantage/vision';
import { ASSETS, describeWithAssets } from './support/assets.ts';
import { Suite } from './support/suite.ts';

/** Insights document of AI Skills, as far as this looks at it. */
interface Document {
  readonly frame_id: string;
  readonly instance_id: string;
  readonly skill_id: string;
  readonly device_id: string;
  readonly insights_meta: {
    readonly objects_meta: readonly {
      readonly label: string;
      readonly confidence: number;
      readonly bbox: { readonly l: number; readonly t: number; readonly w: number; readonly h: number };
      readonly tracking_info?: { readonly tracking_id: string };
    }[];
    readonly events_meta?: readonly { readonly type: string }[];
    readonly other_meta?: Readonly<Record<string, string>>;
  };
}

const NOWHERE: Box = { left: 0, top: 0, width: 0, height: 0 };

/** Says that there is a car, as the public sample does, and what it was told. */
class FakeDetection extends CustomNode {
  readonly handshakes: NodeIds[] = [];
  readonly seen: NodeFrame[] = [];

  override describe(ids: NodeIds): { image: 'numpy'; response: 'insights' } {
    this.handshakes.push(ids);
    return { image: 'numpy', response: 'insights' };
  }

  override process(frame: NodeFrame): NodeAnswer {
    if (this.seen.length < 100)
      this.seen.push({ ...frame, ...(frame.pixels ? { pixels: Buffer.from(frame.pixels) } : {}) });
    const bbox = { l: 0.1, t: 0.2, w: 0.3, h: 0.4 };
    return {
      insights: {
        objects: [{ label: 'car', confidence: 0.9, bbox }],
        other: { upstream: String(frame.insights.objects.filter(({ label }) => label === 'person').length) },
      },
    };
  }
}

/** A skill on the edge runtime: camera, detector, tracker, gRPC node, filter, zone, HTTP and IoT Hub export. */
describeWithAssets('a skill on the local edge runtime', () => {
  const node = new FakeDetection();
  const posted: Document[] = [];
  const upstream: Document[] = [];
  let work: string;
  let server: CustomNodeServer;
  let sink: Server;
  let suite: Suite;
  let grpcPort: number;

  beforeAll(async () => {
    work = mkdtempSync(path.join(os.tmpdir(), 'vantage-skill-'));
    writeFileSync(path.join(work, 'people.txt'), YOLOX);
    server = new CustomNodeServer(node, { port: 0, host: '127.0.0.1', drainMs: 200 });
    grpcPort = (await server.start()).port;
    sink = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        posted.push(JSON.parse(body) as Document);
        response.end();
      });
    });
    await new Promise<void>((resolve) => void sink.listen(0, '127.0.0.1', resolve));
    suite = await Suite.start({ source: path.join(ASSETS, 'videos/o4n-people.mp4') });
    suite.runtime.on('message', ({ moduleId, output, body }) => {
      if (moduleId === 'ai-pipeline' && output === 'metrics') upstream.push(JSON.parse(body) as Document);
    });
    await setSkill(['person'], 'presence');
  }, 90_000);

  afterAll(async () => {
    await suite?.stop();
    await server?.stop();
    sink?.closeAllConnections();
    sink?.close();
    rmSync(work, { recursive: true, force: true });
  }, 60_000);

  /** What the operator writes into the twin. */
  async function setSkill(labels: readonly string[], rule: 'presence' | 'crowding'): Promise<void> {
    const nodes = [
      { id: '0', type: 'source', name: 'rtsp', configurations: { fps: '$param(fps)' } },
      { id: '1', type: 'model', name: 'people', configurations: { config_file: path.join(work, 'people.txt') } },
      { id: '2', type: 'transform', name: 'tracker', configurations: {} },
      {
        ...{ id: '3', type: 'transform', name: 'grpc_transform' },
        configurations: { type: 'endpoint', endpoint_url: `127.0.0.1:${grpcPort}` },
      },
      {
        ...{ id: '4', type: 'transform', name: 'filter_transform' },
        configurations: { labels: JSON.stringify(labels), confidence_threshold: '30' },
      },
      {
        ...{ id: '5', type: 'transform', name: 'zone' },
        configurations: {
          rule,
          polygon: '[[0,0],[1,0],[1,1],[0,1]]',
          ...(rule === 'crowding' ? { for_seconds: '0' } : {}),
        },
      },
      { id: '6', type: 'export', name: 'http_export', configurations: { url: address() } },
      { id: '7', type: 'export', name: 'iothub_export', configurations: { delay_buffer: '2' } },
    ];
    const edge = (from: string, to: string) => ({
      source: { node: from, route: 'f' },
      target: { node: to, route: 'f' },
    });
    const edges = [
      ['0', '1'],
      ['1', '2'],
      ['2', '3'],
      ['3', '4'],
      ['4', '5'],
      ['5', '6'],
      ['5', '7'],
    ] as const;
    const skill = {
      ...{ id: 'people', displayName: 'People', parameters: { fps: '15' }, nodes },
      edges: edges.map(([from, to]) => edge(from, to)),
      instances: [{ id: 'people-street', sensors: ['street'] }],
    };
    await suite.runtime.patchDesired('controllermodule', {
      azdaConfiguration: { components: { deepStream: null, skills: [skill] } },
    });
  }

  function address(): string {
    return `http://127.0.0.1:${(sink.address() as AddressInfo).port}/gate`;
  }

  function pipeline(): Record<string, unknown> | undefined {
    const pipelines = suite.reported('ai-pipeline')['pipelines'] as Record<string, Record<string, unknown>> | undefined;
    return pipelines?.['people-street'];
  }

  const cameraReport = (): Record<string, unknown> | undefined =>
    (pipeline()?.['cameras'] as Record<string, Record<string, unknown>> | undefined)?.['street'];
  const labels = ({ insights_meta: meta }: Document): string[] => [
    ...new Set(meta.objects_meta.map(({ label }) => label)),
  ];
  const ids = ({ insights_meta: meta }: Document): number[] =>
    meta.objects_meta.flatMap(({ tracking_info: info }) => (info ? Number(info.tracking_id) : []));
  const places = ({ insights_meta: meta }: Document): Map<string, Box> =>
    new Map(
      meta.objects_meta.flatMap(({ bbox: { l: left, t: top, w: width, h: height }, tracking_info: info }) =>
        info ? [[info.tracking_id, { left, top, width, height }]] : [],
      ),
    );

  test('people are found, tracked, sent to the gRPC node, filtered, and posted frame by frame', async () => {
    const document = await suite.until(
      'a document with tracked people',
      () => posted.find((one) => ids(one).length > 0 && one.insights_meta.other_meta?.['upstream'] !== undefined),
      90_000,
    );
    expect(document).toMatchObject({ instance_id: 'people-street', skill_id: 'people', device_id: 'street' });
    expect(posted.every((one) => labels(one).every((label) => label === 'person'))).toBe(true);
    expect(posted.flatMap(({ insights_meta: meta }) => meta.events_meta ?? [])[0]).toMatchObject({
      type: 'presenceStarted',
    });
    const [seen] = node.seen;
    expect(seen).toMatchObject({ width: 800, height: 450, colorFormat: 'BGR' });
    expect(seen!.pixels).toHaveLength(800 * 450 * 3);
    expect(node.handshakes[0]).toEqual({ instance: 'people-street', skill: 'people', device: 'street' });
    expect(node.seen.some(({ insights }) => insights.objects.some(({ tracking }) => tracking !== undefined))).toBe(
      true,
    );
  }, 120_000);

  test('the hub gets one in two seconds, and the twin says how the nodes are', async () => {
    await suite.until('two messages upstream', () => upstream.length >= 2);
    expect(upstream[0]).toMatchObject({ instance_id: 'people-street', device_id: 'street' });
    expect(upstream.length).toBeLessThan(posted.length);
    const report = await suite.until('the report', () => {
      const nodes = cameraReport()?.['nodes'] as Record<string, Record<string, unknown>> | undefined;
      return nodes?.['3']?.['state'] === 'ready' ? nodes : undefined;
    });
    expect(report['3']).toMatchObject({ kind: 'custom', sharedMemory: expect.any(Boolean) });
    expect(report['3']).not.toHaveProperty('error');
    expect(pipeline()).toMatchObject({ state: 'running' });
  }, 60_000);

  test('a twin edit changes filter and rule live: nothing is opened again, and tracks keep their ids', async () => {
    const before = posted.length;
    const last = posted.at(-1)!;
    await setSkill(['person', 'car'], 'crowding');
    const first = await suite.until('cars', () => posted.slice(before).find((one) => labels(one).includes('car')));
    await suite.until('crowding', () =>
      posted
        .slice(before)
        .some(({ insights_meta: meta }) => meta.events_meta?.some(({ type }) => type === 'crowdingStarted')),
    );
    const frames = posted.map(({ frame_id: id }) => Number(id));
    expect(frames).toEqual([...frames].sort((a, b) => a - b));
    const stayed = [...places(last)].filter(([id, box]) => iou(box, places(first).get(id) ?? NOWHERE) > 0.3);
    expect(stayed.length).toBeGreaterThan(ids(last).length / 2);
    expect(cameraReport()).toMatchObject({ state: 'running', reconnects: 0 });
    expect(node.handshakes).toHaveLength(1);
  }, 60_000);
});

const YOLOX = `[property]
onnx-file=${path.join(ASSETS, 'models/yolox_nano.onnx')}
labelfile-path=${path.join(ASSETS, 'labels/coco.names')}
net-scale-factor=1
model-color-format=1
maintain-aspect-ratio=1
num-detected-classes=80
[class-attrs-all]
pre-cluster-threshold=0.3
nms-iou-threshold=0.45
`;
