/** ONNX Runtime alone: the same model, the same thread settings, the same input over and over. Posts a {@link BareLoop}. */
import { parentPort, workerData } from 'node:worker_threads';
import ort from 'onnxruntime-node';

/** What a loop did; the CPU time is that of the whole process. */
export interface BareLoop {
  readonly runs: number;
  readonly seconds: number;
  readonly cpuMs: number;
}

const { model, forMs } = workerData as { model: string; forMs: number };
const session = await ort.InferenceSession.create(model, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
});
const [input] = session.inputMetadata;
const dims = input?.isTensor ? input.shape.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1)) : [];
const size = dims.reduce((product, dim) => product * dim, 1);
const feeds = { [input?.name ?? '']: new ort.Tensor('float32', new Float32Array(size).fill(114), dims) };
for (let run = 0; run < 5; run++) await session.run(feeds);
const started = performance.now();
const cpuBefore = process.cpuUsage();
let runs = 0;
while (performance.now() - started < forMs) {
  await session.run(feeds);
  runs++;
}
const cpu = process.cpuUsage(cpuBefore);
const loop: BareLoop = {
  runs,
  seconds: (performance.now() - started) / 1000,
  cpuMs: (cpu.user + cpu.system) / 1000,
};
parentPort?.postMessage(loop);
