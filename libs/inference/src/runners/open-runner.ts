import type { ModelSpec } from '../model-spec.ts';
import { openOnnxRuntime } from './onnx-runtime.ts';
import type { RunnerOptions, TensorRunner } from './runner.ts';

/**
 * Opens what `spec.backend` asks for. What the others need (gRPC, a process) is not loaded for those that do not.
 *
 * @throws VantageError `MODEL_LOAD_FAILED`, `SIDECAR_...`, `REMOTE_...`
 */
export async function openRunner(spec: ModelSpec, options: RunnerOptions): Promise<TensorRunner> {
  const { backend = 'worker' } = spec;
  if (backend === 'worker') return openOnnxRuntime(spec.name, spec.onnxFile, options);
  if (backend === 'sidecar') {
    const { openSidecar } = await import('./sidecar.ts');
    return openSidecar(spec, options);
  }
  const { openRemote } = await import('./remote.ts');
  return openRemote(backend.remote, spec, options);
}
