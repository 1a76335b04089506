export { EdgeModule, type EdgeModuleOptions } from './edge-module.ts';
export type {
  DesiredChange,
  DesiredHandler,
  EdgeModuleApi,
  EdgeState,
  EdgeStatus,
  InputHandler,
  InputMessage,
  MethodHandler,
  MethodReply,
  TwinView,
  Unsubscribe,
} from './edge-module-api.ts';
export type { TwinIssue } from './errors.ts';
export { FakeEdgeModule, type SentMessage } from './fake-edge-module.ts';
export { KeptDocument } from './kept-document.ts';
export { MESSAGE_LIMIT_BYTES, type OverflowPolicy } from './outbox.ts';
export { TWIN_LIMITS, twinIssues } from './twin-limits.ts';
