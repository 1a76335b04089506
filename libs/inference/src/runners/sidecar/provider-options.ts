import path from 'node:path';
import { isObject } from '@vantage/contracts';
import { sidecarOptionsInvalid } from '../../errors.ts';
import type { ModelSpec } from '../../model-spec.ts';
import type { ExecutionProvider, RunnerOptions } from '../runner.ts';

export type ProviderOptions = Readonly<Partial<Record<ExecutionProvider, Readonly<Record<string, string>>>>>;

/** Sizes between which TensorRT builds one engine: `images:1x3x416x416`. */
export interface ShapeProfile {
  readonly min: string;
  readonly best: string;
  readonly max: string;
}

/**
 * What a configuration asks of TensorRT and CUDA, in the words of ONNX Runtime
 * (https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html). `VANTAGE_PROVIDER_OPTIONS`, a JSON
 * object like `{"tensorrt": {"trt_cuda_graph_enable": "1"}}`, adds to them and has the last word.
 *
 * @throws VantageError `SIDECAR_OPTIONS_INVALID`
 */
export function providerOptions(
  spec: ModelSpec,
  options: RunnerOptions,
  profile?: ShapeProfile,
  env: NodeJS.ProcessEnv = process.env,
): ProviderOptions {
  const { networkMode, tensorRt } = spec.infer;
  const device = String(options.deviceId);
  const tensorrt: Record<string, string> = {
    device_id: device,
    // A layer without an INT8 kernel is better off in half precision than in single.
    trt_fp16_enable: flag(networkMode !== 'fp32'),
    trt_int8_enable: flag(networkMode === 'int8'),
    trt_builder_optimization_level: '3',
  };
  if (networkMode === 'int8' && tensorRt.int8CalibrationFile !== undefined) {
    // DeepStream's file is TensorRT's own calibration cache.
    tensorrt['trt_int8_use_native_calibration_table'] = '1';
    tensorrt['trt_int8_calibration_table_name'] = path.resolve(
      path.dirname(spec.onnxFile),
      tensorRt.int8CalibrationFile,
    );
  }
  if (tensorRt.workspaceSizeMb !== undefined) {
    tensorrt['trt_max_workspace_size'] = String(tensorRt.workspaceSizeMb * 1024 * 1024);
  }
  if (tensorRt.enableDla) {
    tensorrt['trt_dla_enable'] = '1';
    tensorrt['trt_dla_core'] = String(tensorRt.dlaCore);
  }
  if (options.cacheFolder !== undefined) {
    const folder = path.join(options.cacheFolder, 'tensorrt');
    tensorrt['trt_engine_cache_enable'] = '1';
    tensorrt['trt_engine_cache_path'] = folder;
    tensorrt['trt_timing_cache_enable'] = '1';
    tensorrt['trt_timing_cache_path'] = folder;
  }
  if (profile !== undefined) {
    tensorrt['trt_profile_min_shapes'] = profile.min;
    tensorrt['trt_profile_opt_shapes'] = profile.best;
    tensorrt['trt_profile_max_shapes'] = profile.max;
  }
  const cuda = {
    device_id: device,
    // Cameras come and go: memory grows by what is needed, not by doubling.
    arena_extend_strategy: 'kSameAsRequested',
    // The default tries every algorithm for every new shape, which takes seconds.
    cudnn_conv_algo_search: 'HEURISTIC',
  };
  const wished = wishes(env['VANTAGE_PROVIDER_OPTIONS']);
  return { tensorrt: { ...tensorrt, ...wished['tensorrt'] }, cuda: { ...cuda, ...wished['cuda'] }, cpu: {} };
}

/** Whether a graph of the device's work is kept and replayed, which needs tensors at fixed addresses. */
export function wantsGraphs({ tensorrt, cuda }: ProviderOptions): boolean {
  return isOn(tensorrt?.['trt_cuda_graph_enable']) || isOn(cuda?.['enable_cuda_graph']);
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value?.toLowerCase() === 'true';
}

function flag(on: boolean): string {
  return on ? '1' : '0';
}

function wishes(text: string | undefined): Readonly<Record<string, Readonly<Record<string, string>>>> {
  if (text === undefined || text.trim() === '') return {};
  const value = jsonOf(text);
  if (!isObject(value)) throw sidecarOptionsInvalid('it is no JSON object');
  return Object.fromEntries(
    Object.entries(value).map(([provider, options]) => {
      if (provider !== 'tensorrt' && provider !== 'cuda')
        throw sidecarOptionsInvalid(`there is no '${provider}' in it`);
      if (!isObject(options)) throw sidecarOptionsInvalid(`'${provider}' is no object`);
      const entries = Object.entries(options).map(([key, option]) => {
        if (typeof option !== 'string' && typeof option !== 'number' && typeof option !== 'boolean') {
          throw sidecarOptionsInvalid(`'${provider}.${key}' is neither text nor number`);
        }
        return [key, typeof option === 'boolean' ? flag(option) : String(option)] as const;
      });
      return [provider, Object.fromEntries(entries)] as const;
    }),
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
