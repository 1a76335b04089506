export { RtspServer, type RtspServerOptions } from './rtsp-server.ts';
export type { Faults } from './play-session.ts';
