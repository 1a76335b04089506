import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pythonCandidates, type PythonWish } from '@vantage/observability';
import { readOnnx } from '@vantage/onnx';
import { sidecarMissing } from '../errors.ts';
import type { ModelSpec } from '../model-spec.ts';
import type { ExecutionProvider, RunnerOptions } from './runner.ts';
import { providerOptions, wantsGraphs } from './sidecar/provider-options.ts';
import { shapeProfile } from './sidecar/shape-profile.ts';
import { PackageMissing, SidecarRunner } from './sidecar/sidecar-runner.ts';

/** The official package is installed with pip, mostly into an environment that comes first on the PATH. */
export const SIDECAR_PYTHON: PythonWish = { variable: 'VANTAGE_SIDECAR_PYTHON', first: 'path' };

export interface SidecarOptions extends RunnerOptions {
  /** Interpreters to try, best first. Default: those of {@link SIDECAR_PYTHON}. */
  readonly pythons?: readonly string[];
  /** Time for one batch. Default 10 s; the first one may take as long as loading. */
  readonly deadlineMs?: number;
  /** Time before a process that ended is started again; grows up to 30 s. Default 500 ms. */
  readonly restartMs?: number;
  /** Keeps tensors at fixed addresses of this device even where the provider does not need it. */
  readonly bind?: 'cpu' | 'cuda';
}

/**
 * Runs a model in a Python process of its own with the official ONNX Runtime package, which knows every provider and
 * all of their options. A process that ends or hangs costs the batch that it had; it is started again by and by, and
 * batches are refused meanwhile.
 *
 * @param model runs instead of the file of `spec`, in whose folder weights are still looked for
 * @throws VantageError `SIDECAR_MISSING`, `SIDECAR_UNAVAILABLE`, `SIDECAR_OPTIONS_INVALID`, `MODEL_LOAD_FAILED`
 */
export async function openSidecar(
  spec: ModelSpec,
  options: SidecarOptions,
  model?: Uint8Array,
): Promise<SidecarRunner> {
  const providers = [...new Set<ExecutionProvider>([...options.providers, 'cpu'])];
  const usesTensorRt = providers.includes('tensorrt');
  const profile = usesTensorRt
    ? shapeProfile(readOnnx(model ?? (await readFile(spec.onnxFile)), spec.name), spec.infer)
    : undefined;
  const own = providerOptions(spec, options, profile);
  const cache = own.tensorrt?.['trt_engine_cache_path'];
  if (usesTensorRt && cache !== undefined) await mkdir(cache, { recursive: true });
  const setup = {
    name: spec.name,
    ...(model === undefined ? {} : { model }),
    load: {
      providers,
      options: own,
      threads: options.threads,
      deviceId: options.deviceId,
      graphs: wantsGraphs(own),
      ...(options.bind === undefined ? {} : { bind: options.bind }),
      ...(model === undefined
        ? { file: spec.onnxFile }
        : { bytes: model.byteLength, weightsFolder: path.dirname(spec.onnxFile) }),
    },
    usesTensorRt,
    deadlineMs: options.deadlineMs ?? 10_000,
    restartMs: options.restartMs ?? 500,
  };
  const lacking: string[] = [];
  for (const python of options.pythons ?? pythonCandidates(SIDECAR_PYTHON)) {
    try {
      return await SidecarRunner.start({ ...setup, python });
    } catch (error) {
      if (!(error instanceof PackageMissing)) throw error;
      lacking.push(`${python}: ${error.message}`);
    }
  }
  throw sidecarMissing(spec.name, lacking.join('; ') || 'there is no python3');
}
