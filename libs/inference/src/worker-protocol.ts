import type { MessagePort } from 'node:worker_threads';
import type { ModelReport, ModelSpec } from './model-spec.ts';
import type { InferenceLog } from './reading/custom-reader.ts';
import type { RunnerOptions } from './runners/runner.ts';

/** What an inference worker starts with. */
export interface WorkerSetup {
  readonly spec: ModelSpec;
  readonly runner: RunnerOptions;
  /** URL of the module that hosts custom parsers. */
  readonly parserHost: string | undefined;
}

/** Control messages of an inference worker. Frames use ports of their own (`frame-port.ts`). */
export type ToWorker =
  | {
      readonly kind: 'connect';
      readonly port: MessagePort;
      /** Where the pictures before the session are counted. */
      readonly load: { readonly counts: Int32Array; readonly place: number };
    }
  /** Run for so long, to see how fast it is; answered by `measured`. */
  | { readonly kind: 'measure'; readonly forMs: number }
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly report: ModelReport }
  | { readonly kind: 'measured'; readonly runMs: number }
  | {
      readonly kind: 'log';
      readonly level: Parameters<InferenceLog>[0];
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
