import { NutReader, PictureFeed, findVideoEncoder, passthrough, ticksToUs, type Ffmpeg } from '@vantage/media';

export interface EncodedFrame {
  /** As it was given. */
  readonly ptsUs: number;
  readonly key: boolean;
  readonly data: Uint8Array;
}

export interface LiveEncoderOptions {
  readonly ffmpeg: Ffmpeg;
  /** ffmpeg's arguments: filters, and an encoder that holds no picture back. */
  readonly output: readonly string[];
  /** Pixels; both even. */
  readonly width: number;
  readonly height: number;
  /** Pictures that wait while it starts, or a busy machine lets it wait; then pictures are left out. Default 12. */
  readonly maxWaiting?: number;
  /** What comes before the first frame. */
  readonly onStream?: (codecData: Uint8Array) => void;
  readonly onFrame: (frame: EncodedFrame) => void;
  readonly onFailed: (reason: string) => void;
}

const H264_ENCODERS = new Set(['libx264', 'libopenh264']);
/** A third of the time of what clips are encoded with (720p25: 17 % of a core instead of 47 %), for as many bytes. */
const QUICK = ['-preset', 'ultrafast', '-tune', 'zerolatency'];
const MAX_WAITING = 12;

/** An encoder for H.264 without delay. @throws MEDIA_ENCODER_MISSING, Error where there is one for something else only */
export async function findH264Encoder(ffmpeg: Ffmpeg): Promise<readonly string[]> {
  const encoder = await findVideoEncoder(ffmpeg);
  if (!H264_ENCODERS.has(encoder.name)) throw new Error(`this ffmpeg has no encoder for H.264, only ${encoder.name}`);
  return encoder.name === 'libx264' ? [...encoder.arguments, ...QUICK] : encoder.arguments;
}

/** Frames in the order of their times, a key frame a second: clients join there. @param encoder from `findH264Encoder` */
export function h264Output(encoder: readonly string[], width: number, height: number): string[] {
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  // The level follows from the ticks otherwise, as if each were a frame.
  const level = blocks > 36_864 ? [] : ['-level', blocks > 8704 ? '5.2' : '4.2'];
  const keys = ['-g', '1000', '-force_key_frames', 'expr:gte(t,n_forced)'];
  return [...encoder, '-pix_fmt', 'yuv420p', '-bf', '0', ...level, ...keys];
}

/** JPEG has the full range of levels. */
export const JPEG_OUTPUT: readonly string[] = [
  ...['-vf', 'scale=out_range=full,format=yuvj420p'],
  ...['-c:v', 'mjpeg', '-q:v', '5', '-threads', '1'],
];

/** Pictures in 4:2:0 become frames of a codec, each at its own time, as soon as they come. `stop` must be called. */
export class LiveEncoder {
  readonly #feed: PictureFeed;
  readonly #onFailed: (reason: string) => void;
  #isStopped = false;

  constructor({ ffmpeg, output, width, height, maxWaiting, onStream, onFrame, onFailed }: LiveEncoderOptions) {
    this.#onFailed = onFailed;
    const reader = new NutReader({
      onStreams: ([stream]) => {
        if (stream) onStream?.(stream.codecData.slice());
      },
      allocate: ({ sizeBytes }) => new Uint8Array(sizeBytes),
      onFrame: (frame, data) => {
        // The feed counts from its first picture.
        const ptsUs = this.#feed.span.firstUs + ticksToUs(frame.pts, frame.stream.timeBase);
        onFrame({ ptsUs, key: frame.key, data });
      },
    });
    const ticks = [...passthrough(ffmpeg), '-enc_time_base', '1:60000'];
    this.#feed = new PictureFeed({
      ...{ ffmpeg, format: 'yuv420p', width, height, maxWaiting: maxWaiting ?? MAX_WAITING },
      output: [...ticks, ...output, '-flush_packets', '1', '-f', 'nut', 'pipe:1'],
      onOutput: (chunk) => {
        if (!this.#isStopped) reader.push(chunk);
      },
    });
  }

  /** Resolves when the bytes may be used again. */
  async write(ptsUs: number, data: Uint8Array): Promise<void> {
    await this.#feed.write({ ptsUs, data });
    const { failure } = this.#feed;
    if (failure !== undefined && !this.#isStopped) this.#onFailed(failure);
  }

  /** Idempotent. */
  stop(): void {
    this.#isStopped = true;
    void this.#feed.kill();
  }
}
