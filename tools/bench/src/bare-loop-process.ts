/** ONNX Runtime alone, a loop on each of so many threads; prints what all did together. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BareLoop } from './bare-loop-worker.ts';
import type { BareFigures } from './pipeline-throughput.ts';

const { model, forMs, loops } = JSON.parse(process.argv[2] ?? '{}') as { model: string; forMs: number; loops: number };
const done = await Promise.all(
  Array.from({ length: loops }, async () => {
    const worker = new Worker(new URL('./bare-loop-worker.ts', import.meta.url), { workerData: { model, forMs } });
    const [loop] = (await once(worker, 'message')) as [BareLoop];
    await worker.terminate();
    return loop;
  }),
);
const sum = (of: (loop: BareLoop) => number): number => done.reduce((total, loop) => total + of(loop), 0);
const figures: BareFigures = {
  rate: sum(({ runs, seconds }) => runs / seconds),
  // Each loop saw the CPU time of all.
  cpuMsPerRun: sum(({ cpuMs }) => cpuMs) / loops / sum(({ runs }) => runs),
};
process.stdout.write(JSON.stringify(figures));
