export { sourceUnavailable } from './errors.ts';
export {
  isDelimiter,
  isParameterSet,
  readCodecConfiguration,
  splitFrame,
  type CodecConfiguration,
  type NalCodec,
} from './nal-units.ts';
export { RtspServer, type RtspServerOptions } from './rtsp-server.ts';
export type { AccessUnit, RtspPlayback, RtspReceiver, RtspSource, StreamDescription } from './rtsp-source.ts';
