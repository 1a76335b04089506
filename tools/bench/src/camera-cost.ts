import { median, type Bench } from './bench.ts';
import { withFilms } from './pipeline/films.ts';
import { runPipeline } from './pipeline/run-pipeline.ts';

const ROUNDS = 3;
const FOR_MS = 15_000;
const FPS = 5;
const CAMERAS = [1, 2, 4, 8];

/** P8: CPU time a camera and frame with 1, 2, 4 and 8 cameras at 5 frames/s: the dearest of them against one camera. */
export const cameraCost: Bench = {
  id: 'P8',
  title: 'CPU a frame with 2, 4 and 8 cameras at 5 frames/s (the dearest), against one camera',
  unit: 'CPU ms/frame',
  goal: 1.1,
  better: 'lower',
  run: (note) =>
    withFilms(async (films) => {
      const film = await films.slow(FPS);
      const costs = new Map<number, number[]>(CAMERAS.map((count) => [count, []]));
      const seen = new Map<number, number>();
      for (let round = 1; round <= ROUNDS; round++) {
        for (const count of CAMERAS) {
          const cameras = Array.from({ length: count }, () => film);
          const figures = await runPipeline({ films: cameras, pace: 'realtime', cores: 1, forMs: FOR_MS });
          costs.get(count)?.push(figures.cpuMs / figures.frames);
          seen.set(count, figures.frames / figures.seconds / count);
        }
        const line = CAMERAS.map((count) => `${count}: ${costs.get(count)?.at(-1)?.toFixed(1)}`);
        note(`round ${round}: CPU ms/frame with ${line.join(', ')}`);
      }
      const [one = Number.NaN, ...more] = CAMERAS.map((count) => median(costs.get(count) ?? []));
      const rate = Math.round((seen.get(8) ?? 0) * 10) / 10;
      return {
        ours: Math.max(...more),
        reference: one,
        extra: { framesPerSecondOfEach: rate },
        ...(rate < FPS * 0.95 ? { failed: `with 8 cameras only ${rate} of ${FPS} frames/s were looked at` } : {}),
      };
    }),
};
