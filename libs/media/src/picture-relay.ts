import type { Ffmpeg } from './ffmpeg.ts';
import { PACKETS_URL } from './ffmpeg-arguments.ts';
import { FfmpegRun } from './ffmpeg-run.ts';
import { pictureFailed } from './errors.ts';
import type { PictureRequest } from './picture.ts';
import type { RawPicture } from './picture-stream.ts';

/** A decoder that falls behind by this much of the encoded stream will not catch up. */
const MAX_BEHIND_BYTES = 32 << 20;
/** Packets since the last key frame that are kept for a decoder that may be started. */
const MAX_KEPT_BYTES = 32 << 20;
/** How long a decoder may take until it has caught up. */
const TAKE_OVER_TIMEOUT_MS = 20_000;

export interface PictureRelayHandlers {
  takeBuffer(bytes: number, full: boolean): ArrayBufferLike;
  /** A picture of the decoder in charge, later than all before it. */
  deliver(timeUs: number, picture: RawPicture, full: RawPicture | undefined): void | Promise<void>;
  /** The decoder in charge has ended by itself. */
  onLost(reason: string): void;
}

interface Beside {
  readonly run: FfmpegRun;
  readonly settle: (error: Error | undefined) => void;
  readonly onTakeOver: () => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Other pictures of a stream that goes on. A second ffmpeg is fed with the stream's own packets from the last key frame
 * on; when it has reached the frame that was handed over last, it takes over: no frame is lost and none comes twice.
 *
 * The source's own process keeps the connection, and its pictures are thrown away from then on: decoding twice is the
 * price until the source is opened the next time.
 */
export class PictureRelay {
  readonly #ffmpeg: Ffmpeg;
  readonly #handlers: PictureRelayHandlers;
  #header: Uint8Array | undefined;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #lastUs = -1;
  #inCharge: FfmpegRun | undefined;
  #coming: Beside | undefined;
  #wake: (() => void) | undefined;
  #scratch: ArrayBuffer | undefined;

  constructor(ffmpeg: Ffmpeg, handlers: PictureRelayHandlers) {
    this.#ffmpeg = ffmpeg;
    this.#handlers = handlers;
  }

  /** Whether a decoder could be started now. */
  get canStart(): boolean {
    return this.#header !== undefined && this.#kept.length > 0;
  }

  /** True: the source's own pictures are not wanted any more. */
  get inCharge(): boolean {
    return this.#inCharge !== undefined;
  }

  /** Where the pictures of the source's own process go when nobody wants them. */
  ownBuffer(bytes: number): ArrayBuffer | undefined {
    if (!this.#inCharge) return undefined;
    if (this.#scratch?.byteLength !== bytes) this.#scratch = new ArrayBuffer(bytes);
    return this.#scratch;
  }

  onHeader(bytes: Uint8Array): void {
    this.#header = bytes;
    this.#forget();
  }

  /** A packet of the encoded stream. Resolves when the decoder in charge has room again. */
  onPacket(bytes: Uint8Array, key: boolean): void | Promise<void> {
    if (key) this.#forget();
    if (key || this.#kept.length > 0) {
      this.#kept.push(bytes);
      this.#keptBytes += bytes.length;
      if (this.#keptBytes > MAX_KEPT_BYTES) this.#forget();
    }
    void this.#coming?.run.write(bytes);
    const run = this.#inCharge;
    if (!run) return undefined;
    if (run.writableLength > MAX_BEHIND_BYTES) {
      run.kill('it cannot decode as fast as the stream comes in');
      return undefined;
    }
    return run.write(bytes);
  }

  /** The source's own process has handed a frame over. */
  delivered(timeUs: number): void {
    this.#lastUs = timeUs;
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /**
   * Resolves when the new pictures have taken over. `onTakeOver` is called between the last old and the first new one.
   * @throws MEDIA_PICTURE_FAILED and the old pictures go on
   */
  start(picture: PictureRequest, onTakeOver: () => void): Promise<void> {
    this.#coming?.settle(pictureFailed('other pictures were asked for'));
    return new Promise((resolve, reject) => {
      const run: FfmpegRun = new FfmpegRun(
        {
          url: PACKETS_URL,
          ffmpeg: this.#ffmpeg,
          picture,
          encoded: false,
          pace: 'asFastAsPossible',
          socketTimeoutMs: 0,
          thoroughProbe: false,
        },
        {
          onStream: () => undefined,
          takeBuffer: (bytes, full) => this.#handlers.takeBuffer(bytes, full),
          onPicture: (one, full): void | Promise<void> => this.#onPicture(run, one, full),
          onEncodedHeader: () => undefined,
          allocatePacket: () => undefined,
          onPacket: () => undefined,
          onExit: ({ reason }) => this.#onExit(run, reason),
        },
      );
      const settle = (error: Error | undefined): void => {
        if (this.#coming?.run !== run) return;
        clearTimeout(this.#coming.timer);
        this.#coming = undefined;
        if (error) {
          run.kill();
          reject(error);
        } else resolve();
      };
      const timer = setTimeout(
        () => settle(pictureFailed(`no picture within ${TAKE_OVER_TIMEOUT_MS} ms`)),
        TAKE_OVER_TIMEOUT_MS,
      );
      this.#coming = { run, settle, onTakeOver, timer };
      run.start();
      if (this.#header) void run.write(this.#header);
      for (const bytes of this.#kept) void run.write(bytes);
    });
  }

  /** The stream has ended: resolves when the decoder in charge has handed over its last pictures. */
  async endInput(): Promise<void> {
    this.#coming?.settle(pictureFailed('the stream ended'));
    const run = this.#inCharge;
    if (!run) return;
    const over = new Promise<void>((resolve) => (this.#ended = resolve));
    run.endInput();
    await over;
  }

  /** Ends everything; the next connection delivers by itself again. */
  reset(): void {
    this.#coming?.settle(pictureFailed('the source was closed'));
    this.#inCharge?.kill();
    this.#inCharge = undefined;
    this.#scratch = undefined;
    this.#header = undefined;
    this.#forget();
  }

  #ended: (() => void) | undefined;

  #onPicture(run: FfmpegRun, one: RawPicture, full: RawPicture | undefined): void | Promise<void> {
    const timeUs = one.rawUs;
    if (run === this.#inCharge) {
      if (timeUs <= this.#lastUs) return undefined;
      this.delivered(timeUs);
      return this.#handlers.deliver(timeUs, one, full);
    }
    if (run !== this.#coming?.run || timeUs < this.#lastUs) return undefined;
    if (timeUs > this.#lastUs && this.#lastUs >= 0) {
      // Ahead of those in charge: wait for them, or the frames between would be missing.
      return new Promise<void>((resolve) => (this.#wake = resolve)).then(() =>
        // Overtaken without having met: with `maxFps`, the two need not choose the same frames.
        run === this.#coming?.run && timeUs < this.#lastUs ? this.#takeOver(run) : this.#onPicture(run, one, full),
      );
    }
    this.#takeOver(run);
    return timeUs > this.#lastUs ? this.#onPicture(run, one, full) : undefined;
  }

  #takeOver(run: FfmpegRun): void {
    if (!this.#coming) return;
    const { settle, onTakeOver } = this.#coming;
    this.#inCharge?.kill();
    this.#inCharge = run;
    onTakeOver();
    settle(undefined);
  }

  #onExit(run: FfmpegRun, reason: string): void {
    if (run === this.#coming?.run) this.#coming.settle(pictureFailed(reason));
    if (run !== this.#inCharge) return;
    this.#inCharge = undefined;
    if (this.#ended) this.#ended();
    else this.#handlers.onLost(reason);
    this.#ended = undefined;
  }

  #forget(): void {
    this.#kept = [];
    this.#keptBytes = 0;
  }
}
