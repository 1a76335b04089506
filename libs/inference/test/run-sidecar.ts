/**
 * Runs a model in a sidecar and in this process with the same input; prints how far the outputs are apart. A process of
 * its own: ONNX Runtime does not work in Jest's realm.
 */
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';
import { openSidecar, type SidecarOptions } from '../src/runners/sidecar.ts';
import type { ModelSpec } from '../src/model-spec.ts';

export interface Task {
  readonly file: string;
  readonly dims: readonly number[];
  readonly asBytes?: boolean;
  readonly options?: Partial<SidecarOptions>;
}

export interface Outcome {
  readonly provider: string;
  readonly providerReason?: string;
  readonly inputs: unknown;
  readonly outputs: readonly { readonly name: string; readonly type: string; readonly dims: readonly number[] }[];
  /** Largest difference of any number, in each of three runs with another input. */
  readonly apart: readonly number[];
  readonly largest: number;
}

const { file, dims, asBytes, options } = JSON.parse(process.argv[2] ?? '') as Task;
const infer = { networkMode: 'fp32', tensorRt: {}, batchSize: 1 } as unknown as ModelSpec['infer'];
const spec: ModelSpec = { name: 'model', onnxFile: file, infer, labels: [] };
const bytes = readFileSync(file);
const sidecar = await openSidecar(
  spec,
  { threads: 1, providers: ['cpu'], deviceId: 0, ...options },
  asBytes ? bytes : undefined,
);
const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });

const apart: number[] = [];
let largest = 0;
let outputs: Outcome['outputs'] = [];
for (let run = 0; run < 3; run += 1) {
  const name = session.inputNames[0] ?? '';
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => ((i + 1) * (run + 7)) % 256);
  const expected = await session.run({ [name]: new ort.Tensor('float32', data, dims) });
  const got = await sidecar.run([{ name, dims, data }]);
  outputs = got.map((one) => ({ name: one.name, type: one.type ?? '', dims: one.dims }));
  let most = 0;
  for (const one of got) {
    const want = expected[one.name]?.data as Float32Array;
    if (want.length !== one.data.length) throw new Error(`${one.name}: ${want.length}, ${one.data.length}`);
    for (let i = 0; i < want.length; i += 1) {
      most = Math.max(most, Math.abs(Number(want[i]) - Number(one.data[i])));
      largest = Math.max(largest, Math.abs(Number(want[i])));
    }
  }
  apart.push(most);
}
const { provider, providerReason, inputs } = sidecar;
await sidecar.close();
const reason = providerReason === undefined ? {} : { providerReason };
process.stdout.write(JSON.stringify({ provider, ...reason, inputs, outputs, apart, largest } satisfies Outcome));
