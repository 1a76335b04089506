export { MediaServer, type MediaServerOptions } from './media-server.ts';
export type { Faults } from './file-playback.ts';
