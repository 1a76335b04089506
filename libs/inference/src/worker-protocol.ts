import type { MessagePort } from 'node:worker_threads';
import type { ModelReport, ModelSpec } from './model-spec.ts';
import type { RunnerOptions } from './runners/runner.ts';

/** What an inference worker starts with. */
export interface WorkerSetup {
  readonly spec: ModelSpec;
  readonly runner: RunnerOptions;
}

/** Control messages of an inference worker. Frames use ports of their own (`frame-port.ts`). */
export type ToWorker = { readonly kind: 'connect'; readonly port: MessagePort } | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly report: ModelReport }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
