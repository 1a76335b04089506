import type { MessagePort } from 'node:worker_threads';
import type { ModelReport } from './model-spec.ts';

/** Control messages of an inference worker. Frames use ports of their own (`frame-port.ts`). */
export type ToWorker = { readonly kind: 'connect'; readonly port: MessagePort } | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly report: ModelReport }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };
