import { asset } from './assets.ts';
import { median, type Bench } from './bench.ts';
import { withFilms } from './pipeline/films.ts';
import { runJson, runPipeline } from './pipeline/run-pipeline.ts';

const ROUNDS = 5;
const ROUND_MS = 6000;
const MAX_LOOP_DELAY_MS = 20;

/**
 * P1: the whole ai-pipeline (decode, scale, tensor, inference, parser, suppression, tracker, insights on the main
 * thread) on a film as fast as it goes, against a bare loop of `session.run` with the same number of threads.
 */
export const pipelineThroughput: Bench = throughput({
  id: 'P1',
  title: 'whole pipeline, yolox_nano, one core for the model, against a bare ONNX Runtime loop',
  cores: 1,
});

/** P2: the same with two cores for the model, against two bare loops side by side. */
export const pipelineTwoCores: Bench = throughput({
  id: 'P2',
  title: 'whole pipeline, yolox_nano, two cores, against two bare ONNX Runtime loops side by side',
  cores: 2,
});

function throughput({ id, title, cores }: { id: string; title: string; cores: number }): Bench {
  return {
    id,
    title,
    unit: 'frames/s',
    goal: 0.95,
    better: 'higher',
    run: (note) =>
      withFilms(async (films) => {
        const film = await films.long();
        const rounds: Round[] = [];
        for (let round = 1; round <= ROUNDS; round++) {
          const bare = await bareLoops(cores);
          const figures = await runPipeline({ films: [film], pace: 'asFastAsPossible', cores, forMs: ROUND_MS });
          const ours = figures.frames / figures.seconds;
          const cpuMs = figures.cpuMs / figures.frames;
          rounds.push({ ours, bare, cpuMs, loopDelayMs: figures.loopDelayP99Ms });
          note(
            `round ${round}: bare ${bare.rate.toFixed(1)} runs/s of ${bare.cpuMsPerRun.toFixed(1)} CPU ms, pipeline ${ours.toFixed(1)} frames/s of ${cpuMs.toFixed(1)} CPU ms, loop p99 ${figures.loopDelayP99Ms.toFixed(1)} ms`,
          );
        }
        const of = (value: (round: Round) => number): number => median(rounds.map(value));
        const loopDelayMs = Math.round(of((round) => round.loopDelayMs) * 10) / 10;
        const late = `event loop delay p99 ${loopDelayMs} ms is above ${MAX_LOOP_DELAY_MS} ms`;
        return {
          ours: of(({ ours }) => ours),
          reference: of(({ bare }) => bare.rate),
          extra: {
            eventLoopDelayP99Ms: loopDelayMs,
            cpuMsPerFrame: Math.round(of(({ cpuMs }) => cpuMs) * 10) / 10,
            bareCpuMsPerRun: Math.round(of(({ bare }) => bare.cpuMsPerRun) * 10) / 10,
          },
          ...(loopDelayMs > MAX_LOOP_DELAY_MS ? { failed: late } : {}),
        };
      }),
  };
}

interface Round {
  readonly ours: number;
  readonly bare: BareFigures;
  readonly cpuMs: number;
  readonly loopDelayMs: number;
}

/** What bare loops did together. */
export interface BareFigures {
  /** Runs a second. */
  readonly rate: number;
  readonly cpuMsPerRun: number;
}

async function bareLoops(loops: number): Promise<BareFigures> {
  const program = new URL('bare-loop-process.ts', import.meta.url).pathname;
  const work = JSON.stringify({ model: asset('models/yolox_nano.onnx'), forMs: ROUND_MS, loops });
  return runJson([process.execPath, '--disable-warning=ExperimentalWarning', program, work]);
}
