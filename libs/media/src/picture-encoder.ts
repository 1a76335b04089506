import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '@vantage/contracts';
import { clipFailed } from './errors.ts';
import { passthrough } from './ffmpeg-arguments.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { PictureFeed, type FedPicture, type RawFormat } from './picture-feed.ts';
import { publishNewFile, temporaryNameFor } from './temporary-file.ts';
import { findVideoEncoder } from './video-encoder.ts';

export interface PictureEncoderOptions {
  readonly ffmpeg: Ffmpeg;
  /** The final name; it appears complete or not at all. Its folder is made. Where the name is taken, `-2` is added. */
  readonly path: string;
  /** Where the file grows, on the same file system. Default: the folder of `path`. */
  readonly temporaryFolder?: string;
  readonly format: RawFormat;
  /** Pixels of every picture. An odd side becomes one pixel longer in the clip. */
  readonly width: number;
  readonly height: number;
  /** As {@link PictureFeedOptions.maxWaiting}. */
  readonly maxWaiting?: number;
}

export interface EncodedClip {
  readonly path: string;
  readonly frames: number;
  /** Pictures that are not in the clip: they came faster than ffmpeg took them, or out of order. */
  readonly dropped: number;
  /** Times of the first and the last picture, as they came. */
  readonly firstPtsUs: number;
  readonly lastPtsUs: number;
}

/**
 * One mp4 file from raw pictures, H.264 where ffmpeg has an encoder for it. Each picture keeps its time.
 *
 * `close` or `abort` must be called. A process that is killed leaves a hidden file that `removeStaleClips` removes.
 */
export class PictureEncoder {
  readonly #path: string;
  readonly #temporary: string;
  readonly #feed: PictureFeed;
  /** As ffmpeg calls it. */
  readonly encoder: string;
  #closed: Promise<EncodedClip> | undefined;

  private constructor(options: PictureEncoderOptions, temporary: string, feed: PictureFeed, encoder: string) {
    this.#path = options.path;
    this.#temporary = temporary;
    this.#feed = feed;
    this.encoder = encoder;
  }

  /** @throws MEDIA_ENCODER_MISSING, MEDIA_CLIP_FAILED when the folder cannot be made */
  static async open(options: PictureEncoderOptions): Promise<PictureEncoder> {
    const { ffmpeg, path, temporaryFolder, format, width, height, maxWaiting } = options;
    const encoder = await findVideoEncoder(ffmpeg);
    const temporary = temporaryNameFor(path, temporaryFolder);
    try {
      await mkdir(dirname(path), { recursive: true });
      await mkdir(dirname(temporary), { recursive: true });
    } catch (error) {
      throw clipFailed(messageOf(error));
    }
    // 4:2:0 has a colour for each two by two pixels.
    const even = width % 2 === 0 && height % 2 === 0 ? [] : ['-vf', 'pad=ceil(iw/2)*2:ceil(ih/2)*2'];
    // What is made from RGB is made with this matrix; without the mark players take another one for large pictures.
    const marked = format === 'yuv420p' ? [] : ['-colorspace', 'smpte170m'];
    const output = [
      ...[...even, ...passthrough(ffmpeg), '-enc_time_base', TIME_BASE, '-pix_fmt', 'yuv420p'],
      ...[...encoder.arguments, ...levelOf(encoder.name, width, height), ...marked, ...inOrder(ffmpeg)],
      ...['-g', '250', '-movflags', '+faststart', '-f', 'mp4', '-y', `file:${temporary}`],
    ];
    const feed = new PictureFeed({
      ...{ ffmpeg, format, width, height, output },
      ...(maxWaiting === undefined ? {} : { maxWaiting }),
    });
    return new PictureEncoder(options, temporary, feed, encoder.name);
  }

  get failure(): string | undefined {
    return this.#feed.failure;
  }

  /** As {@link PictureFeed.write}: wait for it, and nothing is dropped. */
  write(picture: FedPicture): Promise<boolean> {
    return this.#feed.write(picture);
  }

  /** Completes the file and gives it its name. Calling it again gives the same result. @throws MEDIA_CLIP_FAILED */
  close(): Promise<EncodedClip> {
    this.#closed ??= this.#complete();
    return this.#closed;
  }

  /** Gives the clip up; nothing is left. */
  async abort(): Promise<void> {
    await this.#feed.kill();
    await this.close().catch(() => undefined);
  }

  async #complete(): Promise<EncodedClip> {
    try {
      const failure = await this.#feed.end();
      if (failure !== undefined) throw clipFailed(failure);
      if (this.#feed.written === 0) throw clipFailed('it has no pictures');
      const path = await publishNewFile(this.#temporary, this.#path).catch((error: unknown) => {
        throw clipFailed(messageOf(error));
      });
      const { written: frames, dropped, span } = this.#feed;
      return { path, frames, dropped, firstPtsUs: span.firstUs, lastPtsUs: span.lastUs };
    } catch (error) {
      await rm(this.#temporary, { force: true });
      throw error;
    }
  }
}

/** The ticks of the pictures' times: what MPEG-4 part 2 can count, and fine enough for any camera. */
const TIME_BASE = '1:60000';

/** The level follows from the ticks otherwise, as if each were a frame, and players refuse it. Up to 60 frames a second. */
function levelOf(encoder: string, width: number, height: number): readonly string[] {
  if (encoder !== 'libx264') return [];
  const blocks = Math.ceil(width / 16) * Math.ceil(height / 16);
  if (blocks <= 8704) return ['-level', '4.2'];
  return blocks <= 36_864 ? ['-level', '5.2'] : [];
}

/**
 * Pictures in the order of their times, and how long the last one is shown (which old builds cannot say): mp4 counts a
 * clip's length in the order of decoding, and with a variable rate players would leave out its last pictures.
 */
function inOrder({ libavformat: [major] }: Ffmpeg): readonly string[] {
  const duration = major >= 59 ? ['-bsf:v', 'setts=pts=PTS:dts=DTS:duration=2400'] : ['-use_editlist', '0'];
  return ['-bf', '0', ...duration];
}
