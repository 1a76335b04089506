import { codeOf, messageOf } from '@vantage/contracts';
import type { ModelSpec } from '../model-spec.ts';
import { openOnnxRuntime } from './onnx-runtime.ts';
import type { RunnerOptions, TensorRunner } from './runner.ts';

/**
 * Opens what `spec.backend` asks for. What the others need (gRPC, a process) is not loaded for those that do not. Without
 * a Python for a sidecar the model runs in this process, and the runner says so.
 *
 * @throws VantageError `MODEL_LOAD_FAILED`, `SIDECAR_...`, `REMOTE_...`
 */
export async function openRunner(spec: ModelSpec, options: RunnerOptions): Promise<TensorRunner> {
  const { backend = 'worker' } = spec;
  if (backend === 'worker') return openOnnxRuntime(spec.name, spec.onnxFile, options);
  if (backend === 'sidecar') return sidecarOrNot(spec, options);
  const { openRemote } = await import('./remote.ts');
  return openRemote(backend.remote, spec, options);
}

async function sidecarOrNot(spec: ModelSpec, options: RunnerOptions): Promise<TensorRunner> {
  const { openSidecar } = await import('./sidecar.ts');
  try {
    return await openSidecar(spec, options);
  } catch (error) {
    if (codeOf(error) !== 'SIDECAR_MISSING') throw error;
    // TensorRT in this process would build its engine anew at every start: minutes.
    const providers = options.providers.filter((provider) => provider !== 'tensorrt');
    const runner = await openOnnxRuntime(spec.name, spec.onnxFile, { ...options, providers });
    const reasons = [messageOf(error), runner.providerReason];
    return {
      inputs: runner.inputs,
      outputs: runner.outputs,
      provider: runner.provider,
      providerReason: reasons.filter((reason) => reason !== undefined).join('; '),
      run: (feeds) => runner.run(feeds),
      close: () => runner.close(),
    };
  }
}
