import { median, type Bench } from '../bench.ts';
import { withFilms } from '../pipeline/films.ts';
import { NodeProcess, runBranches, type BranchesFigures } from './run.ts';

const ROUNDS = 3;
const ROUND_MS = 15_000;
const SLOW_MS = 500;

/** P6: a branch whose custom node takes half a second, and what that does to the branch beside it. */
export const slowBranch: Bench = {
  id: 'P6',
  title: `a camera with two branches, a custom node in each, one of ${SLOW_MS} ms: the other's rate, against the same without the slow one`,
  unit: 'frames/s',
  goal: 0.98,
  better: 'higher',
  run: (note) =>
    withFilms(async (films) => {
      const film = await films.long();
      const quick = await NodeProcess.ours({ sharedMemory: 'auto', answer: 'insights' });
      const slow = await NodeProcess.ours({ sharedMemory: 'auto', answer: 'insights', delayMs: SLOW_MS });
      try {
        const [alone, beside]: [BranchesFigures[], BranchesFigures[]] = [[], []];
        for (let round = 1; round <= ROUNDS; round++) {
          alone.push(await runBranches({ film, quick: quick.endpoint, forMs: ROUND_MS }));
          beside.push(await runBranches({ film, quick: quick.endpoint, slow: slow.endpoint, forMs: ROUND_MS }));
          const [without, both] = [alone.at(-1), beside.at(-1)];
          note(
            `round ${round}: alone ${without?.rate.toFixed(2)}, beside the slow one ${both?.rate.toFixed(2)}, the slow one ${both?.slowRate.toFixed(2)} frames/s`,
          );
        }
        const slowRate = Math.round(median(beside.map((one) => one.slowRate)) * 100) / 100;
        return {
          ours: median(beside.map(({ rate }) => rate)),
          reference: median(alone.map(({ rate }) => rate)),
          extra: { slowRate },
          ...(slowRate < 1 ? { failed: `the slow branch itself stands still: ${slowRate} frames/s` } : {}),
        };
      } finally {
        await Promise.all([quick.stop(), slow.stop()]);
      }
    }),
};
