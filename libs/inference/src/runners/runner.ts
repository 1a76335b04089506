import type { TensorData, TensorInfo } from '@vantage/vision';

/** What runs a network, inside of an inference worker: ONNX Runtime in its thread, a sidecar process, or a server. */
export interface TensorRunner {
  /** As the model declares them; -1 where a size is open. */
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** What really runs it: `cpu`, `cuda`, `tensorrt`, or a name of the runner's own such as `remote host:8001`. */
  readonly provider: string;
  /** Why not a faster one; absent when the first choice was had. */
  readonly providerReason?: string | undefined;
  /**
   * Runs one batch. Inputs are only read until the promise settles; outputs are valid until the next run, in the order
   * of `outputs`. Half precision is `Uint16Array` with type `float16`. Rejects when this batch failed; the runner stays
   * usable or rejects every later one.
   */
  run(feeds: readonly TensorData[]): Promise<readonly TensorData[]>;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/** How a runner is opened, as plain data. */
export interface RunnerOptions {
  /** Threads inside of one run. */
  readonly threads: number;
  /** Providers in the order they are tried; the last is `cpu`. */
  readonly providers: readonly ExecutionProvider[];
  /** `gpu-id`. */
  readonly deviceId: number;
  /** Folder for optimised models and engines; absent: none are kept. */
  readonly cacheFolder?: string;
}

export type ExecutionProvider = 'tensorrt' | 'cuda' | 'cpu';
