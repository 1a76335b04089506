import type { BackoffOptions, Logger } from '@vantage/observability';
import type { Ffmpeg } from './ffmpeg.ts';
import type { Dewarp } from './dewarp.ts';
import type { DecoderReport, HardwareDecode } from './hardware.ts';
import type { PictureRequest } from './picture.ts';

export interface VideoSourceOptions {
  /** `rtsp://`, `rtsps://`, `http(s)://`, `file://`, a path, or `/dev/videoN`. May hold credentials; they are not logged. */
  readonly url: string;
  readonly ffmpeg: Ffmpeg;
  /** The pictures wanted; undefined decodes nothing. */
  readonly picture: PictureRequest | undefined;
  /** Whether the encoded stream is wanted, too. */
  readonly encoded: boolean;
  /** Straightens every picture, and the encoded stream, which is then encoded anew. */
  readonly dewarp?: Dewarp;
  /** Who decodes; where it cannot, software does and `SourceStream.decoder` says so. */
  readonly hardware?: HardwareDecode;
  /** Files only: at their own speed, or as fast as the consumer takes them. */
  readonly pace: 'realtime' | 'asFastAsPossible';
  /** Files only: start again at the end. */
  readonly loop: boolean;
  /** No frame for this long ends the connection. Default 8000. */
  readonly stallTimeoutMs?: number;
  /** No first frame for this long ends the attempt. Default 12000. */
  readonly connectTimeoutMs?: number;
  /** How to try again; false gives up at the first failure. */
  readonly reconnect: BackoffOptions | false;
  /** End after so many pictures (packets, when there are no pictures). */
  readonly maxFrames?: number;
  readonly logger: Logger;
  /** Wall clock in ms; default `Date.now`. */
  readonly clock?: () => number;
}

export interface SourceStream {
  /** Pixels of the camera's picture (the dewarped one), before crop and scale. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  /** FFmpeg's name: `h264`, `hevc`, `mjpeg`, ... */
  readonly codec: string;
  /** Nominal; 0 when unknown. */
  readonly fps: number;
  /** Pixels of the pictures handed over; 0 when none are wanted. */
  readonly pictureWidth: number;
  readonly pictureHeight: number;
  readonly decoder: DecoderReport;
}

export interface Picture {
  /** Counts the pictures of this source from 0, across loops and reconnections. */
  readonly sequence: number;
  /** The frame's own time on the source's line of time: strictly increasing, equal to its packet's. */
  readonly ptsUs: number;
  /** Wall clock of the frame, ms since 1970: arrival of the first frame (or start) plus time difference. */
  readonly captureTimeMs: number;
  /**
   * From `takeBuffer`; the receiver's from now on. Planes G, B, R, each `width * height` bytes. Empty where only the
   * full picture was asked for.
   */
  readonly buffer: ArrayBuffer;
  readonly width: number;
  readonly height: number;
  /** Where `PictureRequest.full` is set: the same frame at the source's own resolution. From `takeFullBuffer`. */
  readonly full?: { readonly buffer: ArrayBufferLike; readonly width: number; readonly height: number };
}

/** A frame of the encoded stream, in decoding order. */
export interface EncodedPacket {
  readonly ptsUs: number;
  readonly key: boolean;
  /** A whole piece of NUT stream: `onHeader`'s bytes followed by packets from a key one on can be played. */
  readonly bytes: Uint8Array;
}

export type SourceState = 'connecting' | 'running' | 'reconnecting' | 'ended' | 'failed';

export interface SourceStateChange {
  readonly state: SourceState;
  /** For people; never holds credentials. Empty when there is nothing to say. */
  readonly reason: string;
  /** Attempts in a row since the last healthy run; 0 for the first. */
  readonly attempt: number;
}

/** Called on the thread that made the source. What they throw ends the current connection. */
export interface VideoSourceHandlers {
  /** At each (re)connection, loop included, before its first picture. */
  onStream?(stream: SourceStream): void;
  /** A returned promise pauses the reading of pictures until it settles (so ffmpeg waits: use it for files). */
  onPicture?(picture: Picture): void | Promise<void>;
  /** The pool: a buffer of exactly `bytes`. A buffer whose picture was cut off is not given back. */
  takeBuffer?(bytes: number): ArrayBuffer;
  /** The same for full pictures, which may lie in shared memory. Default: `takeBuffer`. */
  takeFullBuffer?(bytes: number): ArrayBufferLike;
  onHeader?(bytes: Uint8Array): void;
  onPacket?(packet: EncodedPacket): void;
  onState?(change: SourceStateChange): void;
  /** The camera's clock was set: it is connected anew, which `onState` tells next. */
  onClockJump?(): void;
}
