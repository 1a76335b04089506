export { EdgeRuntime, type EdgeRuntimeOptions } from './runtime.ts';
export type { UpstreamMessage } from './hub/message.ts';
export type { MethodCall, MethodResult } from './hub/methods.ts';
export type { ClientState } from './hub/edge-hub.ts';
export { twinEtag, type Twin, type TwinChange } from './twin/store.ts';
export type { Identity } from './state/identities.ts';
