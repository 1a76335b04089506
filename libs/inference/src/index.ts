export type { InferenceBackend, LoadedModel } from './backend.ts';
export { InferenceClient, type InferenceResult } from './client.ts';
export type { ModelReport, ModelSpec } from './model-spec.ts';
export { WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';
