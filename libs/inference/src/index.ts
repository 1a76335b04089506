export type { InferenceBackend, LoadedModel } from './backend.ts';
export { InferenceClient, type InferenceResult } from './client.ts';
export type { FrameReply, FrameRequest } from './frame-port.ts';
export { EMPTY_OUTPUT, type ModelOutput } from './model-output.ts';
export type { Batching, CustomParserSpec, ModelReport, ModelSpec, RemoteModel, SessionLayout } from './model-spec.ts';
export { probeRuntimes } from './probe/probe-runtimes.ts';
export type { ProviderTry, RuntimeProbe } from './probe/types.ts';
export type { ExecutionProvider, RunnerOptions, TensorRunner } from './runners/runner.ts';
export { WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';
