import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Engine } from '@vantage/ai-pipeline';
import { WorkerPool } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import type { SkillGraph } from '@vantage/skill';
import { asset } from './assets.ts';
import { median, type Bench } from './bench.ts';
import { yoloxNano } from './yolox.ts';

const ROUNDS = 3;
const ROUND_MS = 6000;
const MAX_LOOP_DELAY_MS = 20;

/**
 * P1: the whole ai-pipeline (decode, scale, tensor, inference, parser, suppression, tracker, insights on the main
 * thread) on a file as fast as it goes, against a bare loop of `session.run` with the same number of threads.
 */
export const pipelineThroughput: Bench = {
  id: 'P1',
  title: 'whole pipeline, yolox_nano, one session, against a bare ONNX Runtime loop',
  unit: 'frames/s',
  goal: 0.85,
  better: 'higher',
  async run(note) {
    const ours: number[] = [];
    const reference: number[] = [];
    const delays: number[] = [];
    for (let round = 1; round <= ROUNDS; round++) {
      reference.push(await bareLoop());
      const { fps, loopDelayMs } = await wholePipeline();
      ours.push(fps);
      delays.push(loopDelayMs);
      note(
        `round ${round}: bare ${reference.at(-1)?.toFixed(1)}, pipeline ${fps.toFixed(1)} frames/s, loop p99 ${loopDelayMs.toFixed(1)} ms`,
      );
    }
    const loopDelayMs = Math.round(median(delays) * 10) / 10;
    return {
      ours: median(ours),
      reference: median(reference),
      extra: { eventLoopDelayP99Ms: loopDelayMs },
      ...(loopDelayMs > MAX_LOOP_DELAY_MS
        ? { failed: `event loop delay p99 ${loopDelayMs} ms is above ${MAX_LOOP_DELAY_MS} ms` }
        : {}),
    };
  },
};

async function bareLoop(): Promise<number> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  const worker = new Worker(new URL('./bare-loop-worker.ts', import.meta.url), {
    workerData: { model: asset('models/yolox_nano.onnx'), forMs: ROUND_MS },
  });
  const [fps] = (await once(worker, 'message')) as [number];
  await worker.terminate();
  return fps;
}

async function wholePipeline(): Promise<{ fps: number; loopDelayMs: number }> {
  const spec = await yoloxNano();
  const engine = new Engine({
    ffmpeg: await resolveFfmpeg(),
    backend: new WorkerPool(),
    resolveModel: () => Promise.resolve(spec),
    logger: silentLogger,
  });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let frames = 0;
  let startedMs = 0;
  const done = new Promise<number>((resolve) => {
    engine.on('insights', () => {
      // The first frames pay for starting up; a bare loop's warm-up is not counted either.
      if (++frames === 10) {
        startedMs = performance.now();
        delay.enable();
      }
      const elapsedMs = performance.now() - startedMs;
      if (startedMs > 0 && elapsedMs > ROUND_MS) resolve(((frames - 10) / elapsedMs) * 1000);
    });
  });
  await engine.apply([graph()]);
  const fps = await done;
  delay.disable();
  await engine.stop();
  // The histogram counts the timer's own interval in.
  return { fps, loopDelayMs: Math.max(0, delay.percentile(99) / 1e6 - 5) };
}

function graph(): SkillGraph {
  const url = pathToFileURL(asset('videos/o4n-traffic.mp4')).href;
  return {
    id: 'bench',
    nodes: [
      { kind: 'source', id: 'source/street', sensor: 'street', url, regions: [], pace: 'asFastAsPossible', loop: true },
      { kind: 'model', id: 'model/primary', configFile: 'yolox' },
      { kind: 'tracker', id: 'tracker', algorithm: 'light' },
    ],
    edges: [],
  };
}
