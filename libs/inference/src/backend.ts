import type { MessagePort } from 'node:worker_threads';
import type { VantageError } from '@vantage/contracts';
import type { ModelReport, ModelSpec } from './model-spec.ts';

/**
 * Where models run. Inhabitants: in-process worker threads (here), and later a sidecar process and remote servers.
 * Pixels never pass through the caller's thread: `connect` gives a port that is moved to the thread that has them.
 */
export interface InferenceBackend {
  /** Loads and warms up. Rejects with a VantageError that says what is wrong with the model. */
  load(spec: ModelSpec): Promise<LoadedModel>;
  stop(): Promise<void>;
}

export interface LoadedModel {
  readonly report: ModelReport;
  /** Resolves when a session ends without having been told to: load the model anew. Never rejects. */
  readonly died: Promise<VantageError>;
  /** Port for one camera; wrap it in an `InferenceClient` on the thread that owns the camera. Transfer it, do not copy. */
  connect(): MessagePort;
  /** Ends the sessions. Frames still under way are answered with an error first. Safe to call twice. */
  unload(): Promise<void>;
}
