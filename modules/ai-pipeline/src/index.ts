export type { CameraCounters, ClipReport } from './camera/protocol.ts';
export type { CameraStatus } from './engine/camera.ts';
export { Engine, type EngineEvents, type EngineOptions } from './engine/engine.ts';
export type { PipelineStatus, Problem, RecordingOptions } from './engine/pipeline.ts';
export { readModelConfig, resolveModel, type ModelResolverOptions } from './model-resolver.ts';
