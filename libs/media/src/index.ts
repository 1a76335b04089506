export { type BackoffOptions } from './backoff.ts';
export { ClipWriter, removeStaleClips, type Clip, type ClipOptions } from './clip-writer.ts';
export { readEncodedFile, type EncodedFile, type EncodedFrame } from './encoded-file.ts';
export { resolveFfmpeg, type Ffmpeg, type FfmpegOrigin, type ResolveFfmpegOptions } from './ffmpeg.ts';
export { ticksToUs, type NutStream, type NutTimeBase } from './nut-format.ts';
export { NutReader, type NutFrame, type NutReaderHandlers } from './nut-reader.ts';
export { PacketRing, type PacketRingOptions } from './packet-ring.ts';
export { DEFAULT_SCALE_FLAGS, pictureFilter, type CropRectangle, type PictureRequest } from './picture.ts';
export { redact } from './redact.ts';
export { loadPicture, type StillPicture } from './still.ts';
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
