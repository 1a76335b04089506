export { EdgeRuntime } from './runtime.ts';
export type {
  ApplyDeploymentOptions,
  EdgeRuntimeEvents,
  EdgeRuntimeOptions,
  LogEvent,
  ModuleEvent,
  TelemetryMessage,
  TwinEvent,
} from './options.ts';
export type { ImageResolver, ModuleCommand } from './agent/process-executor.ts';
export { CONTAINER_VOLUMES } from './agent/docker/docker-executor.ts';
export { connectEngine, findImage } from './agent/docker/engine.ts';
export { LOCAL_BASE, makeLocalBase } from './agent/docker/local-base.ts';
export { DEFAULT_RESTART_TIMING, type RestartTiming, type RuntimeStatus } from './agent/restart-policy.ts';
export type { EdgeStatus, ModuleStatus, QueueStatus } from './api/control-status.ts';
export { FAULT_KINDS, Faults, MAX_FAULT_MS, type ActiveFault, type Fault } from './faults/faults.ts';
export type { ClientState } from './hub/hub-state.ts';
export type { UpstreamMessage } from './hub/message.ts';
export type { EndpointTotals, MessageTotals } from './hub/message-counts.ts';
export type { UpstreamReadOptions } from './hub/upstream-reader.ts';
export { upstreamJson, type UpstreamRetention } from './hub/upstream-store.ts';
export type { MethodCall, MethodResult } from './hub/methods.ts';
export type { FileNotification } from './registry/files/uploads.ts';
export type { PolicyName } from './registry/policies.ts';
export { isStateEntry } from './state/layout.ts';
export { requireFreeStateFolder, stateFolderOwner } from './state/lock.ts';
export type { Twin, TwinChange } from './twin/store.ts';
