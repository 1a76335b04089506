import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { NodeAnswer, NodeFrame, NodeObject } from '@vantage/custom-node';
import { resolveFfmpeg, type Ffmpeg } from '@vantage/media';
import { Metrics, silentLogger } from '@vantage/observability';
import type { SnippetNode } from '@vantage/skill';
import type { ClipReport } from '../src/camera/protocol.ts';
import { Exporters } from '../src/exports/exporters.ts';
import { InsightStore } from '../src/exports/insight-store.ts';
import { GraphBench, TestNode, camera, custom, exporter, skill } from './support/graph-bench.ts';

const CAR: NodeObject = { label: 'car', confidence: 0.9, bbox: { l: 0.1, t: 0.5, w: 0.3, h: 0.4 } };

function snippet(id: string, more: Partial<SnippetNode> = {}): SnippetNode {
  const fixed = { kind: 'snippet', durationSeconds: 10, everyMinutes: 1, overlay: true } as const;
  return { ...fixed, id, prefix: id, instance: 'Gate 1', skill: 'Cars', ...more };
}

function flipped({ pixels, width, height }: NodeFrame): NodeAnswer {
  const result = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i += 1) {
    const from = (i - (i % width) + (width - 1 - (i % width))) * 3;
    pixels!.copy(result, i * 3, from, from + 3);
  }
  return { image: { width, height, colorFormat: 'BGR', pixels: result } };
}

describe('snippets of a graph at work', () => {
  const bench = new GraphBench();
  const clips: ClipReport[] = [];
  let ffmpeg: Ffmpeg;

  beforeAll(async () => {
    ffmpeg = await resolveFfmpeg();
    await bench.open();
    bench.engine.on('clip', (_pipeline, clip) => clips.push(clip));
  });
  afterEach(async () => {
    await bench.reset();
    clips.length = 0;
  });
  afterAll(() => bench.close());

  /** Colours of places in the first picture, each part 0 or 1. */
  function colours({ path: file }: ClipReport, places: readonly (readonly [x: number, y: number])[]): number[][] {
    const raw = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
    const pixels = execFileSync(ffmpeg.path, ['-v', 'error', '-i', file, ...raw]);
    return places.map(([x, y]) =>
      [...pixels.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)].map((one) => Math.round(one / 255)),
    );
  }

  test('two branches have each its own pictures: the one behind a node that flips them, and the one beside (H 8)', async () => {
    const { port: cars } = await bench.serve(
      new TestNode({ image: 'none', response: 'insights' }, () => ({ insights: { objects: [CAR] } })),
    );
    const { port: flip } = await bench.serve(new TestNode({ image: 'numpy', response: 'image' }, flipped));
    const nodes = [
      custom('cars', cars),
      custom('flip', flip),
      snippet('behind'),
      snippet('beside', { overlay: false }),
    ];
    const edges = ['0>cars', 'cars>flip', 'flip>behind', 'cars>beside'];
    await bench.run(skill(camera(bench.clip), nodes, edges));
    // What is open at the end of a file is finished with the camera.
    await bench.engine.apply([]);
    const [behind, beside] = ['behind', 'beside'].map((name) =>
      clips.find((clip) => path.basename(clip.path).startsWith(name))!,
    );
    expect([behind, beside].map((clip) => [clip!.frames, clip!.seconds, clip!.objects])).toEqual([
      [60, 1.97, 60],
      [60, 1.97, 60],
    ]);
    // Left and right of the picture above the box, and the box's left edge: red on blue in the flipped one.
    const [left, right, edge] = [
      [5, 3],
      [60, 3],
      [7, 35],
    ] as const;
    expect(colours(behind!, [left, right, edge])).toEqual([
      [0, 0, 1],
      [1, 0, 0],
      [1, 0, 0],
    ]);
    expect(colours(beside!, [left, right])).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(path.relative(bench.folder, behind!.path)).toMatch(
      /^clips\/video-snippet\/Gate 1\/Cars\/gate\/behind-\d{13}-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\.mp4$/,
    );
    expect(bench.problems).toEqual([]);
  }, 60_000);

  test('no object, no snippet', async () => {
    await bench.run(skill(camera(bench.clip), [snippet('none'), exporter('out')], ['0>none', '0>out']));
    await bench.engine.apply([]);
    expect([clips, bench.problems]).toEqual([[], []]);
  }, 60_000);

  test('a snippet and a server that hangs: the other export has every frame, and is told of by its own counters', async () => {
    const server = createServer(() => undefined);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const bodies: unknown[] = [];
    const exporters = new Exporters({
      edge: { send: (_output, body) => Promise.resolve(void bodies.push(body)) },
      ...{ metrics: new Metrics(), logger: silentLogger, store: new InsightStore(), httpDeadlineMs: 60_000 },
    });
    const forward = (pipeline: string, post: Parameters<Exporters['push']>[1]): void => exporters.push(pipeline, post);
    bench.engine.on('export', forward);
    try {
      const { port } = await bench.serve(
        new TestNode({ image: 'none', response: 'insights' }, () => ({ insights: { objects: [CAR] } })),
      );
      const graph = skill(
        camera(bench.clip),
        [
          ...[custom('cars', port), snippet('seen'), exporter('out')],
          { kind: 'export', id: 'http', to: { kind: 'http', url, doubleEncoded: false } },
        ],
        ['0>cars', 'cars>seen', 'cars>out', 'cars>http'],
      );
      exporters.apply([graph]);
      await bench.run(graph);
      while (exporters.status('Gate')['out']!.queued > 0) await new Promise((resolve) => setImmediate(resolve));
      const { http, out } = exporters.status('Gate');
      expect(http).toMatchObject({ sent: 0, queued: 30, dropped: 30 });
      expect(out!.sent + out!.dropped).toBe(60);
      expect(bodies).toHaveLength(out!.sent);
      await bench.engine.apply([]);
      expect(clips.map(({ frames }) => frames)).toEqual([60]);
    } finally {
      bench.engine.off('export', forward);
      server.closeAllConnections();
      server.close();
      await exporters.stop();
    }
  }, 60_000);
});
