export { sourceUnavailable } from './errors.ts';
export { RtspServer, type RtspServerOptions } from './rtsp-server.ts';
export type { AccessUnit, RtspPlayback, RtspReceiver, RtspSource, StreamDescription } from './rtsp-source.ts';
