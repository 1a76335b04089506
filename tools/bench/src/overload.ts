import type { Bench } from './bench.ts';
import { withFilms } from './pipeline/films.ts';
import { runPipeline, type PipelineFigures } from './pipeline/run-pipeline.ts';

/** Cameras of 24 frames/s: about twice what one core can look at. */
const CAMERAS = 4;
const MAX_LOOP_DELAY_MS = 20;
const DEFAULT_MINUTES = 2;

/** `--minutes 10` on the command line. */
const asked = process.argv.indexOf('--minutes');
const minutes = asked > 0 ? Number(process.argv[asked + 1]) : DEFAULT_MINUTES;

let run: Promise<PipelineFigures> | undefined;

/** One run for the three figures. */
function overload(): Promise<PipelineFigures> {
  return (run ??= withFilms(async (made) => {
    const film = await made.long();
    const films = Array.from({ length: CAMERAS }, () => film);
    return runPipeline({ films, pace: 'realtime', cores: 1, forMs: minutes * 60_000 });
  }));
}

/** P9: how old a frame is when its insights are there, while more comes than can be looked at. */
export const frameAge: Bench = {
  id: 'P9',
  title: `${CAMERAS} cameras at 24 frames/s on one core: age of a frame (p95), against the interval at which a camera's frames are looked at`,
  unit: 'ms',
  goal: 2,
  better: 'lower',
  run: async () => {
    const { ageP95Ms, intervalMs } = await overload();
    return { ours: ageP95Ms, reference: intervalMs };
  },
};

/** P10: memory of the process and its decoders in the last third of the run, against the second third. */
export const memoryAtOverload: Bench = {
  id: 'P10',
  title: `the same: memory in the last third of ${minutes} minutes, against the second third`,
  unit: 'MiB',
  goal: 1.05,
  better: 'lower',
  run: async () => {
    const { residentBytes } = await overload();
    const third = Math.floor(residentBytes.length / 3);
    const mean = (from: number, to: number): number =>
      residentBytes.slice(from, to).reduce((sum, bytes) => sum + bytes, 0) / (to - from) / 2 ** 20;
    return { ours: mean(2 * third, 3 * third), reference: mean(third, 2 * third) };
  },
};

/** P11: the main thread, where twins and messages are, is not kept waiting by frames. */
export const controlAtOverload: Bench = {
  id: 'P11',
  title: 'the same: event loop delay (p99) of the main thread, against what is allowed',
  unit: 'ms',
  goal: 1,
  better: 'lower',
  run: async () => ({ ours: (await overload()).loopDelayP99Ms, reference: MAX_LOOP_DELAY_MS }),
};
