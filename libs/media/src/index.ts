export { ClipWriter, openClipName, type Clip, type ClipOptions } from './clip-writer.ts';
export { planDewarp, type Dewarp, type DewarpPlan } from './dewarp.ts';
export { readEncodedFile, type EncodedFile, type EncodedFrame } from './encoded-file.ts';
export { passthrough } from './ffmpeg-arguments.ts';
export { resolveFfmpeg, type Ffmpeg, type FfmpegOrigin, type ResolveFfmpegOptions } from './ffmpeg.ts';
export type { DecoderReport, HardwareDecode } from './hardware.ts';
export { FragmentMuxer, type Fragment } from './mp4/fragment-muxer.ts';
export { repairHybrid, type RepairedClip } from './mp4/repair.ts';
export {
  isDelimiter,
  isParameterSet,
  nalCodecOf,
  nalType,
  readCodecConfiguration,
  splitFrame,
  type CodecConfiguration,
  type NalCodec,
} from './nal-units.ts';
export { ticksToUs, type NutStream, type NutTimeBase } from './nut-format.ts';
export { NutReader, type NutFrame, type NutReaderHandlers } from './nut-reader.ts';
export { nutPayload } from './nut-writer.ts';
export { PacketRing, type PacketRingOptions } from './packet-ring.ts';
export { DEFAULT_SCALE_FLAGS, pictureFilter, type CropRectangle, type PictureRequest } from './picture.ts';
export { loadPicture, type StillPicture } from './still.ts';
export { VideoSource } from './video-source.ts';
export type {
  EncodedPacket,
  Picture,
  SourceState,
  SourceStateChange,
  SourceStream,
  VideoSourceHandlers,
  VideoSourceOptions,
} from './video-source-types.ts';
export { PictureEncoder, type EncodedClip, type PictureEncoderOptions } from './picture-encoder.ts';
export { PictureFeed, type FedPicture, type PictureFeedOptions, type RawFormat } from './picture-feed.ts';
export { removeStaleClips } from './temporary-file.ts';
export { findVideoEncoder, type VideoEncoder } from './video-encoder.ts';
