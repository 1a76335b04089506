import type { ModelSpec } from '../model-spec.ts';
import { openOnnxRuntime } from './onnx-runtime.ts';
import type { RunnerOptions, TensorRunner } from './runner.ts';

/** Opens what `spec.backend` asks for. @throws VantageError `MODEL_LOAD_FAILED` */
export function openRunner(spec: ModelSpec, options: RunnerOptions): Promise<TensorRunner> {
  return openOnnxRuntime(spec.name, spec.onnxFile, options);
}
