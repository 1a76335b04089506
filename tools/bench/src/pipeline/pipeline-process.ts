/** The whole ai-pipeline (decode to insights on the main thread) on films; prints its figures as one JSON document. */
import { setTimeout as wait } from 'node:timers/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { Engine } from '@vantage/ai-pipeline';
import { WorkerPool } from '@vantage/inference';
import { resolveFfmpeg } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import type { SkillGraph } from '@vantage/skill';
import { yoloxNano } from '../yolox.ts';
import { cpuMs, residentBytes } from './process-cost.ts';
import type { PipelineFigures, PipelineRun } from './run-pipeline.ts';

/** Frames of each camera before the measurement starts: the first ones pay for starting up. */
const WARM_UP_FRAMES = 10;
const LOOP_RESOLUTION_MS = 5;

const run = JSON.parse(process.argv[2] ?? '{}') as PipelineRun;
const spec = await yoloxNano();
const engine = new Engine({
  ffmpeg: await resolveFfmpeg(),
  backend: new WorkerPool({ cores: run.cores }),
  resolveModel: () => Promise.resolve(spec),
  logger: silentLogger,
});
engine.on('problem', ({ message }) => process.stderr.write(`bench: ${message}\n`));

interface Arrival {
  readonly sensor: string;
  /** Time of arrival less the frame's own time: how late it is, but for a constant of its camera. */
  readonly lateMs: number;
}
const warm = new Map<string, number>();
let arrivals: Arrival[] = [];
let measuring = false;
const ready = new Promise<void>((resolve) => {
  engine.on('insights', (_pipeline, { sensor, ptsUs }) => {
    if (measuring) arrivals.push({ sensor, lateMs: performance.now() - ptsUs / 1000 });
    else {
      warm.set(sensor, (warm.get(sensor) ?? 0) + 1);
      if ([...warm.values()].filter((frames) => frames >= WARM_UP_FRAMES).length === run.films.length) resolve();
    }
  });
});
await engine.apply([graph()]);
await ready;

const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
delay.enable();
measuring = true;
const cpuBefore = cpuMs();
const started = performance.now();
const memory: number[] = [];
while (performance.now() - started < run.forMs) {
  await wait(Math.min(1000, run.forMs));
  memory.push(residentBytes());
}
const seconds = (performance.now() - started) / 1000;
const cpu = cpuMs() - cpuBefore;
measuring = false;
delay.disable();
const frames = arrivals.length;
const figures: PipelineFigures = {
  frames,
  seconds,
  cpuMs: cpu,
  ageP95Ms: ageP95(),
  intervalMs: (seconds * 1000 * run.films.length) / frames,
  // The histogram counts the timer's own interval in.
  loopDelayP99Ms: Math.max(0, delay.percentile(99) / 1e6 - LOOP_RESOLUTION_MS),
  residentBytes: memory,
};
arrivals = [];
await engine.stop();
process.stdout.write(JSON.stringify(figures));

/**
 * When a film's frame was "captured" is not known, only how much later than its neighbours it came. The least late one
 * of its camera was not kept waiting: it took decoding and one run, of which the run is counted.
 */
function ageP95(): number {
  const runMs = engine.status()[0]?.model?.runMs ?? 0;
  const bySensor = Map.groupBy(arrivals, ({ sensor }) => sensor);
  const ages = [...bySensor.values()].flatMap((own) => {
    const least = own.reduce((low, { lateMs }) => Math.min(low, lateMs), Infinity);
    return own.map(({ lateMs }) => lateMs - least + runMs);
  });
  ages.sort((a, b) => a - b);
  return ages[Math.floor(ages.length * 0.95)] ?? Number.NaN;
}

function graph(): SkillGraph {
  return {
    id: 'bench',
    nodes: [
      ...run.films.map((film, index) => ({
        kind: 'source' as const,
        id: `source/camera-${index}`,
        sensor: `camera-${index}`,
        url: pathToFileURL(film).href,
        regions: [],
        pace: run.pace,
        loop: true,
      })),
      { kind: 'model', id: 'model/primary', configFile: 'yolox' },
      { kind: 'tracker', id: 'tracker', algorithm: 'light' },
    ],
    edges: [],
  };
}
