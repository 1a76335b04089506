import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demo } from '@vantage/demo';
import { WorkerPool } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { ModelStore } from '@vantage/model-store';
import { silentLogger } from '@vantage/observability';
import type { FrameInsights, SkillGraph } from '@vantage/skill';
import { Engine, WhyService, resolveModel, type WhyAnswer } from '@vantage/ai-pipeline';

const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-why-'));
const frames: FrameInsights[] = [];
let engine: Engine;
let service: WhyService;

/** 13 s of the street, then 9 s of the same behind a cover. */
beforeAll(async () => {
  const ffmpeg = await resolveFfmpeg();
  const clip = path.join(folder, 'covered.mp4');
  const cover = "fps=4,drawbox=t=fill:c=0x6a5a50:enable='gte(t,13)'";
  const coder = ['-t', '22', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '4', '-an', '-y', clip];
  execFileSync(ffmpeg.path, ['-v', 'error', '-i', demo.video, '-vf', cover, ...coder]);
  const store = new ModelStore({ root: path.join(folder, 'cache'), logger: silentLogger });
  engine = new Engine({
    ffmpeg,
    backend: new WorkerPool(),
    resolveModel: (node, signal) => resolveModel(node, { store, localRoot: folder, logger: silentLogger }, signal),
    logger: silentLogger,
  });
  service = new WhyService(engine);
  const model = { kind: 'model', id: 'model/primary', role: 'primary', configFile: demo.modelConfig } as const;
  const source = {
    kind: 'source',
    id: 'source/gate',
    sensor: 'gate',
    url: pathToFileURL(clip).href,
    regions: [demo.region],
    pace: 'asFastAsPossible',
    loop: false,
  } as const;
  const tracker = { kind: 'tracker', id: 'tracker', algorithm: 'light' } as const;
  const graph: SkillGraph = {
    id: 'Street',
    nodes: [source, model, tracker],
    edges: [
      { from: source.id, to: model.id, queue: { capacity: 1, policy: 'block' } },
      { from: model.id, to: tracker.id, queue: { capacity: 1, policy: 'block' } },
    ],
  };
  engine.on('insights', (_pipeline, frame) => void frames.push(frame));
  const ended = new Promise<void>((resolve) =>
    engine.on('status', () => {
      if (engine.status()[0]?.cameras[0]?.state === 'ended') resolve();
    }),
  );
  await engine.apply([graph]);
  await ended;
}, 120_000);
afterAll(async () => {
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function why(query: Record<string, unknown>): Promise<WhyAnswer> {
  const { status, payload } = await service.invoke(query);
  expect(status).toBe(200);
  return payload as WhyAnswer;
}

const timeAt = (seconds: number): number => (frames[0]?.captureTimeMs ?? 0) + seconds * 1000;

test('a cover is an event of one frame, marks every frame from then on, and is reported', () => {
  const events = frames.flatMap(({ ptsUs, events: own = [] }) =>
    own.map(({ type, properties }) => ({ ptsUs, type, properties })),
  );
  expect(events).toEqual([
    { ptsUs: expect.any(Number), type: 'cameraCovered', properties: { was: 'ok', since: expect.stringMatching(/Z$/) } },
  ]);
  const at = events[0]?.ptsUs ?? 0;
  expect(at / 1e6).toBeGreaterThan(17.9);
  expect(at / 1e6).toBeLessThan(19.6);
  for (const { ptsUs, view } of frames) expect(view).toBe(ptsUs >= at ? 'covered' : undefined);
  const since = new Date(timeAt(13)).getTime();
  const reported = engine.status()[0]?.cameras[0]?.view;
  expect(reported?.state).toBe('covered');
  expect(Math.abs(Date.parse(reported?.since ?? '') - since)).toBeLessThan(1000);
});

test('a moment with somebody on the crossing: found, tracked, inside of the region', async () => {
  const answer = await why({ sensor: 'gate', at: timeAt(4), seconds: 3 });
  expect(answer).toMatchObject({ pipeline: 'Street', sensor: 'gate', at: new Date(timeAt(4)).toISOString() });
  expect(answer.frames.length).toBeGreaterThanOrEqual(11);
  const total = answer.frames.reduce((sum, { decoded }) => sum + decoded, 0);
  expect(total).toBeGreaterThanOrEqual(22);
  const crossing = answer.frames.flatMap(({ regions }) => regions.filter(({ label }) => label === 'crossing'));
  expect(crossing.length).toBeGreaterThan(0);
  expect(answer.frames.every(({ best }) => best.every(({ threshold }) => (threshold ?? 0) > 0))).toBe(true);
  expect(answer.summary.join('\n')).toMatch(/pictures came, the model looked at \d+/);
  expect(answer.summary.join('\n')).toMatch(/inside crossing: person \d+/);
  expect(answer.summary.join('\n')).toContain('nothing was recorded');
});

test('best scores are known below the threshold, too', async () => {
  const answer = await why({ pipeline: 'Street', sensor: 'gate', at: new Date(timeAt(11)).toISOString(), seconds: 11 });
  const below = answer.frames.flatMap(({ best }) => best.filter(({ score, threshold }) => score < (threshold ?? 1)));
  expect(below.length).toBeGreaterThan(0);
  for (const { label, score } of below) {
    expect(demo.labels).toContain(label);
    expect(score).toBeGreaterThanOrEqual(0.05);
  }
});

test('under the cover nothing was found, and the view says why', async () => {
  const { summary } = await why({ sensor: 'gate', at: timeAt(21), seconds: 1 });
  expect(summary.join('\n')).toMatch(/gate: the view was covered/);
  expect(summary.join('\n')).toMatch(/gate: nothing was found/);
});

test('what cannot be answered says why', async () => {
  expect(await service.invoke({ sensor: 'nowhere' })).toMatchObject({
    status: 400,
    payload: { error: expect.stringContaining('cameras: Street/gate') },
  });
  expect(await service.invoke({})).toMatchObject({ status: 400 });
  expect(await service.invoke({ sensor: 'gate', at: 'yesterday' })).toMatchObject({ status: 400 });
  expect(await service.invoke({ sensor: 'gate', seconds: -1 })).toMatchObject({ status: 400 });
  const { summary, frames: none } = await why({ sensor: 'gate', at: timeAt(-100) });
  expect(none).toEqual([]);
  expect(summary).toEqual([expect.stringContaining('no picture of then is known')]);
  const { status, body } = await service.answer(new URLSearchParams({ sensor: 'gate', at: String(timeAt(4)) }));
  expect(status).toBe(200);
  expect(body.length).toBeLessThan(100_000);
});
