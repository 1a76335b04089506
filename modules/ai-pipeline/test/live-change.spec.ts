import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { WorkerPool } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { ModelStore } from '@vantage/model-store';
import { silentLogger } from '@vantage/observability';
import type { FrameInsights, GraphEdge, GraphNode, ModelNode, SkillGraph, SourceNode } from '@vantage/skill';
import { ASSETS, describeWithAssets } from '../../../e2e/support/assets.ts';
import { Engine, resolveModel, type Problem } from '../src/index.ts';

const FACES = { kind: 'model', id: 'model/primary', role: 'primary', configFile: 'faces.txt' } as const;
const PERSONS = { ...FACES, configFile: 'persons.txt' };
const COLOUR: ModelNode = { kind: 'model', id: 'model/secondary-1', role: { secondary: 0 }, configFile: 'colour.txt' };
const TRACKER = { kind: 'tracker', id: 'tracker', algorithm: 'light' } as const;
const RECORDER = { kind: 'recorder', id: 'recorder', prefix: 'p' } as const;

describeWithAssets('what changes while cameras run', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-live-change-'));
  let clip: string;
  let engine: Engine;
  let wake: (() => void) | undefined;
  const frames = new Map<string, FrameInsights[]>();
  const problems: Problem[] = [];

  beforeAll(async () => {
    const ffmpeg = await resolveFfmpeg();
    const file = path.join(folder, 'people.mp4');
    clip = pathToFileURL(file).href;
    // 48 frames with B-frames, groups of 12.
    const encode = ['-t', '2', '-c:v', 'libx264', '-preset', 'veryfast', '-bf', '2', '-g', '12', '-an', '-y', file];
    execFileSync(ffmpeg.path, ['-v', 'error', '-i', path.join(ASSETS, 'videos/o4n-people.mp4'), ...encode]);
    for (const name of ['version-RFB-320', 'FastestDet', 'litemodel_cls_96x_r1']) {
      copyFileSync(path.join(ASSETS, `models/${name}.onnx`), path.join(folder, `${name}.onnx`));
    }
    write('faces.txt', 1, 'onnx-file=version-RFB-320.onnx', 'net-scale-factor=0.0078125', 'offsets=127;127;127');
    write('persons.txt', 7, 'onnx-file=FastestDet.onnx', 'net-scale-factor=0.00392156862745098');
    write('broken.txt', 7, 'onnx-file=nowhere.onnx');
    write('half.txt', 1, 'onnx-file=version-RFB-320.onnx', 'net-scale-factor=0.0078125', 'interval=1');
    const colour = ['network-type=1', 'process-mode=2', 'operate-on-gie-id=-1', 'classifier-threshold=0'];
    write('colour.txt', 2, 'onnx-file=litemodel_cls_96x_r1.onnx', 'net-scale-factor=0.0039', ...colour);
    const store = new ModelStore({ root: path.join(folder, 'cache'), logger: silentLogger });
    engine = new Engine({
      ffmpeg,
      backend: new WorkerPool(),
      resolveModel: (node, signal) => resolveModel(node, { store, localRoot: folder, logger: silentLogger }, signal),
      recording: { folder: path.join(folder, 'clips'), preRollSeconds: 1, clipSeconds: 30, autoStopSeconds: 0 },
      logger: silentLogger,
    });
    engine.on('insights', (_pipeline, frame) => {
      frames.set(frame.sensor, [...(frames.get(frame.sensor) ?? []), frame]);
      wake?.();
    });
    engine.on('problem', (problem) => {
      problems.push(problem);
      wake?.();
    });
    engine.on('status', () => wake?.());
  });

  afterEach(async () => {
    await engine.apply([]);
    frames.clear();
    problems.length = 0;
  });

  afterAll(async () => {
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function write(name: string, id: number, ...lines: string[]): void {
    const head = ['[property]', `gie-unique-id=${id}`, 'cluster-mode=2', ...lines];
    writeFileSync(path.join(folder, name), [...head, '[class-attrs-all]', 'pre-cluster-threshold=0.2', ''].join('\n'));
  }

  async function until(isIt: () => boolean): Promise<void> {
    while (!isIt()) await new Promise<void>((resolve) => (wake = resolve));
  }

  const seen = (sensor: string): readonly FrameInsights[] => frames.get(sensor) ?? [];
  const hasMore = (sensor: string, count: number): Promise<void> => {
    const wanted = seen(sensor).length + count;
    return until(() => seen(sensor).length >= wanted);
  };
  /** The models that found something, in the order in which they first did. */
  const models = (sensor: string): number[] => [
    ...new Set(seen(sensor).flatMap(({ detections }) => detections.map(({ componentId }) => componentId))),
  ];

  /** Every frame of the endless clip, each once, at its own time. */
  function expectEveryFrame(sensor: string): void {
    const all = seen(sensor);
    expect(all.map(({ frameId }) => frameId)).toEqual(all.map((_, index) => index));
    const steps = all.slice(1).map(({ ptsUs }, index) => ptsUs - all[index]!.ptsUs);
    expect(Math.min(...steps)).toBeGreaterThan(40_000);
    expect(Math.max(...steps)).toBeLessThan(43_500);
    expect(engine.status()[0]!.cameras.find((camera) => camera.sensor === sensor)!.counters.reconnects).toBe(0);
  }

  /** A camera that is never too fast for its model, so that every frame can be counted. */
  function graph(nodes: readonly GraphNode[], sensors = ['gate'], more: Partial<SourceNode> = {}): SkillGraph {
    const sources = sensors.map((sensor): SourceNode => ({
      ...{ kind: 'source', id: `source/${sensor}`, sensor, url: clip, regions: [], pace: 'realtime', loop: true },
      ...more,
    }));
    const edges = sources.map(({ id }): GraphEdge => ({
      from: id,
      to: 'model/primary',
      queue: { capacity: 1, policy: 'block' },
    }));
    return { id: 'P', nodes: [...sources, ...nodes], edges };
  }

  test('a model of another input size takes over, another follows, and no frame is lost', async () => {
    await engine.apply([graph([FACES, RECORDER])]);
    await hasMore('gate', 5);
    await engine.apply([graph([PERSONS, RECORDER])]);
    await until(() => models('gate').includes(7));
    await hasMore('gate', 5);
    expectEveryFrame('gate');
    const swappedAt = seen('gate').findIndex(({ detections }) =>
      detections.some(({ componentId }) => componentId === 7),
    );
    expect(models('gate').at(-1)).toBe(7);
    const later = seen('gate').slice(swappedAt);
    expect(later.every(({ detections }) => detections.every(({ componentId }) => componentId === 7))).toBe(true);
    await engine.apply([graph([FACES, RECORDER])]);
    await until(() => engine.status()[0]!.model!.name === 'faces.txt');
    await hasMore('gate', 30);
    expectEveryFrame('gate');
    expect(problems).toEqual([]);
  }, 120_000);

  test('a secondary joins and leaves, the crop and the tracker change, and no frame is lost', async () => {
    await engine.apply([graph([PERSONS, RECORDER])]);
    await hasMore('gate', 5);
    await engine.apply([graph([PERSONS, TRACKER, COLOUR, RECORDER])]);
    const hasColour = ({ detections }: FrameInsights): boolean =>
      detections.some(({ attributes }) => attributes.length > 0);
    await until(() => seen('gate').some(hasColour));
    expect(engine.status()[0]!.secondaries.map(({ node }) => node)).toEqual(['model/secondary-1']);
    const crop = { left: 100, top: 0, width: 300, height: 450 };
    await engine.apply([graph([PERSONS, TRACKER, COLOUR, RECORDER], ['gate'], { crop })]);
    const insideCrop = ({ box }: { box: { left: number; width: number } }): boolean =>
      box.left >= 99 && box.left + box.width <= 401;
    await until(() => {
      const last = seen('gate').at(-1)!.detections;
      return last.length > 0 && last.every(insideCrop);
    });
    await engine.apply([graph([PERSONS, RECORDER], ['gate'], { crop })]);
    await until(() => !hasColour(seen('gate').at(-1)!));
    await hasMore('gate', 5);
    expectEveryFrame('gate');
    expect(problems).toEqual([]);
  }, 120_000);

  test('a model that cannot be had leaves the old one at work; a camera that comes and goes is not noticed', async () => {
    await engine.apply([graph([PERSONS, RECORDER])]);
    await hasMore('gate', 5);
    await engine.apply([graph([{ ...PERSONS, configFile: 'broken.txt' }, RECORDER])]);
    await until(() => problems.length > 0);
    expect(problems[0]).toMatchObject({
      code: 'MODEL_FILE_MISSING',
      message: expect.stringMatching(/nowhere\.onnx.*; the model that ran before goes on$/s),
    });
    await hasMore('gate', 5);
    await engine.apply([graph([PERSONS, RECORDER], ['gate', 'yard'])]);
    await hasMore('yard', 5);
    await engine.apply([graph([PERSONS, RECORDER])]);
    await hasMore('gate', 5);
    expect(engine.status()[0]!).toMatchObject({ state: 'running', model: { name: 'persons.txt' } });
    expectEveryFrame('gate');
    expect(models('gate')).toEqual([7]);
  }, 120_000);

  test('a file gives the same insights at any speed, byte for byte', async () => {
    const runs: string[] = [];
    for (const pace of ['realtime', 'asFastAsPossible'] as const) {
      const half = { ...FACES, configFile: 'half.txt' };
      await engine.apply([graph([half, TRACKER, COLOUR], ['gate'], { pace, loop: false })]);
      await until(() => engine.status()[0]?.cameras[0]?.state === 'ended');
      // The wall clock is the only thing that may differ.
      runs.push(JSON.stringify(seen('gate'), (key, value: unknown) => (key === 'captureTimeMs' ? undefined : value)));
      expect(seen('gate')).toHaveLength(48);
      expect(seen('gate').filter(({ predicted }) => predicted)).toHaveLength(24);
      await engine.apply([]);
      frames.clear();
    }
    expect(runs[1]).toBe(runs[0]);
    expect(runs[0]).toMatch(/"trackingId":1,.*"attributes":\[\{/);
  }, 120_000);
});
