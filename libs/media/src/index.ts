export { type BackoffOptions } from './backoff.ts';
export { resolveFfmpeg, type Ffmpeg, type FfmpegOrigin, type ResolveFfmpegOptions } from './ffmpeg.ts';
export { ticksToUs, type NutStream, type NutTimeBase } from './nut-format.ts';
export { NutReader, type NutFrame, type NutReaderHandlers } from './nut-reader.ts';
export { DEFAULT_SCALE_FLAGS, pictureFilter, type CropRectangle, type PictureRequest } from './picture.ts';
export { redact } from './redact.ts';
export {
  VideoSource,
  type EncodedPacket,
  type MediaLogger,
  type Picture,
  type SourceState,
  type SourceStateChange,
  type SourceStream,
  type VideoSourceHandlers,
  type VideoSourceOptions,
} from './video-source.ts';
