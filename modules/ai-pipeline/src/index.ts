export type { CameraCounters, ClipReport } from './camera/protocol.ts';
export type { CameraStatus } from './engine/camera.ts';
export { Engine, type EngineEvents, type EngineOptions } from './engine/engine.ts';
export type { PipelineStatus, Problem, RecordingOptions } from './engine/pipeline.ts';
export { locateHere, resolveTracker, type Locate } from './engine/node-files.ts';
export { readModelConfig } from './model-config.ts';
export { locateIn, resolveModel, type ModelResolverOptions } from './model-resolver.ts';
export { WhyService } from './why/why-service.ts';
export type { WhyAnswer, WhyBest, WhyFrame, WhyQuery } from './why/why-types.ts';
