import { VantageError } from '@vantage/contracts';

/** No ffmpeg was found, or `FFMPEG_PATH` names one that does not run. */
export const ffmpegMissing = (message: string, details: Record<string, unknown> = {}): VantageError =>
  new VantageError('MEDIA_FFMPEG_MISSING', message, { details });

/** The bytes are not a NUT stream, or break one of its rules. */
export const nutInvalid = (message: string): VantageError => new VantageError('MEDIA_NUT_INVALID', message);

/** A NUT stream stopped in the middle of a packet. */
export const nutTruncated = (): VantageError =>
  new VantageError('MEDIA_NUT_TRUNCATED', 'the stream ended in the middle of a frame');

/** A single picture could not be read from a file or buffer. */
export const stillFailed = (reason: string): VantageError => new VantageError('MEDIA_STILL_FAILED', reason);

/** Nothing recorded yet, so there is no clip to open. */
export const clipEmpty = (): VantageError =>
  new VantageError('MEDIA_CLIP_EMPTY', 'no keyframe has been received yet, so no clip can start');

/** The clip could not be written. */
export const clipFailed = (reason: string, cause?: unknown): VantageError =>
  new VantageError('MEDIA_CLIP_FAILED', reason, { cause });

/** The options of a source cannot work together (a programming error of the caller). */
export const sourceMisused = (message: string): VantageError => new VantageError('MEDIA_SOURCE_MISUSED', message);

/** A file's encoded video could not be read. */
export const fileUnreadable = (reason: string): VantageError => new VantageError('MEDIA_FILE_UNREADABLE', reason);

/** Other pictures of a running source could not be had. */
export const pictureFailed = (reason: string): VantageError =>
  new VantageError('MEDIA_PICTURE_FAILED', `other pictures of the source cannot be had: ${reason}`);

/** ffmpeg has no encoder for clips. */
export const encoderMissing = (reason: string): VantageError =>
  new VantageError('MEDIA_ENCODER_MISSING', `no clip can be encoded: ${reason}`);
