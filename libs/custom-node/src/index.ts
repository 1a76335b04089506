export type * from './types.ts';
export { NO_INSIGHTS } from './types.ts';
export { NODE_CODES, type NodeCode, type NodeFailure } from './errors.ts';
export { parseEndpoint, type Endpoint } from './endpoint.ts';
export { mergeInsights } from './wire/insights.ts';
export { timeFromMs, timeToMs } from './wire/time.ts';
export { DEFAULT_MESSAGE_BYTES, SERVER_MESSAGE_BYTES } from './wire/service.ts';
export { fromSharp, toSharp } from './images/pixels.ts';
export {
  decodePicture,
  encodePicture,
  JPEG_QUALITY,
  type AnnouncedPicture,
  type EncodeOptions,
} from './images/encoding.ts';
export { CustomNode, type ProcessContext } from './server/custom-node.ts';
export { CustomNodeServer } from './server/custom-node-server.ts';
export type { CustomNodeServerOptions, ServerTls } from './server/options.ts';
export { CustomNodeClient } from './client/custom-node-client.ts';
export type { ClientState, ClientStatus, CustomNodeClientOptions, NodeCounters, NodeResult } from './client/options.ts';
