/** Tries every provider with a model of one node, in a process of its own: a broken driver may take its process along. */
import ort from 'onnxruntime-node';
import type { InferSpec } from '@vantage/deepstream';
import { codeOf, messageOf } from '@vantage/contracts';
import type { ModelSpec } from '../model-spec.ts';
import { openOnnxRuntime } from '../runners/onnx-runtime.ts';
import type { ExecutionProvider, RunnerOptions, TensorRunner } from '../runners/runner.ts';
import { openSidecar } from '../runners/sidecar.ts';
import type { ProviderTry, RuntimeProbe } from './types.ts';

/** Relu of four numbers. */
const MODEL = Buffer.from(
  'CAg6PwoMCgF4EgF5IgRSZWx1EgVwcm9iZVoTCgF4Eg4KDAgBEggKAggBCgIIBGITCgF5Eg4KDAgBEggKAggBCgIIBEICEA0=',
  'base64',
);
const PROVIDERS: readonly ExecutionProvider[] = ['tensorrt', 'cuda', 'cpu'];
const SPEC: ModelSpec = {
  name: 'a model of one node',
  onnxFile: 'probe.onnx',
  infer: { networkMode: 'fp32', tensorRt: { enableDla: false, dlaCore: 0 }, batchSize: 1 } as unknown as InferSpec,
  labels: [],
};

type Open = (options: RunnerOptions) => Promise<TensorRunner>;

async function tryProvider(provider: ExecutionProvider, open: Open): Promise<ProviderTry> {
  const runner = await open({ threads: 1, providers: [provider], deviceId: 0 });
  try {
    if (runner.provider !== provider) {
      const reason = runner.providerReason ?? 'it was not taken';
      return { provider, works: false, reason: reason.replace(`${provider}: `, '') };
    }
    const [result] = await runner.run([{ name: 'x', dims: [1, 4], data: Float32Array.of(-1, 0, 1, 2) }]);
    const works = String(result?.data) === '0,0,1,2';
    return { provider, works, ...(works ? {} : { reason: `it gives ${String(result?.data)} instead of 0,0,1,2` }) };
  } catch (error) {
    return { provider, works: false, reason: messageOf(error) };
  } finally {
    await runner.close();
  }
}

async function tryAll(open: Open): Promise<ProviderTry[]> {
  const tries: ProviderTry[] = [];
  for (const provider of PROVIDERS) tries.push(await tryProvider(provider, open));
  return tries;
}

async function trySidecar(): Promise<RuntimeProbe['sidecar']> {
  try {
    const first = await openSidecar(SPEC, { threads: 1, providers: ['cpu'], deviceId: 0 }, MODEL);
    const { runtime: version, python } = first;
    await first.close();
    return { version, python, providers: await tryAll((options) => openSidecar(SPEC, options, MODEL)) };
  } catch (error) {
    const lacking = /\((.*)\); install/s.exec(messageOf(error))?.[1];
    return { missing: codeOf(error) === 'SIDECAR_MISSING' ? (lacking ?? messageOf(error)) : messageOf(error) };
  }
}

const inProcess = {
  version: ort.env.versions.node ?? ort.env.versions.common,
  providers: await tryAll((options) => openOnnxRuntime(SPEC.name, MODEL, options)),
};
process.stdout.write(JSON.stringify({ inProcess, sidecar: await trySidecar() } satisfies RuntimeProbe));
