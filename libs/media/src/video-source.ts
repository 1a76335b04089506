import { Backoff } from '@vantage/observability';
import { CaptureClock } from './capture-clock.ts';
import { ClockGuard } from './clock-guard.ts';
import { sourceMisused } from './errors.ts';
import { sourceKind, sourcePath } from './ffmpeg-arguments.ts';
import { FfmpegRun, type RunExit } from './ffmpeg-run.ts';
import { whyNotAVideo } from './file-check.ts';
import { DecoderChoice } from './hardware.ts';
import { allocateNutPacket, writeNutHeader } from './nut-writer.ts';
import { PictureRelay } from './picture-relay.ts';
import type { RawPicture } from './picture-stream.ts';
import type { PictureRequest } from './picture.ts';
import { redactSource } from './redact.ts';
import { Timeline } from './timeline.ts';
import { Watchdog } from './watchdog.ts';
import type { SourceState, VideoSourceHandlers, VideoSourceOptions } from './video-source-types.ts';

const DEFAULT_STALL_TIMEOUT_MS = 8000;
const DEFAULT_CONNECT_TIMEOUT_MS = 12_000;

/**
 * A camera or file as timed pictures and encoded packets, both from one ffmpeg process and on one line of time.
 *
 * Runs on the caller's thread, so give it a worker's, made with `trackUnmanagedFds: false`. `start` once; `stop` is
 * idempotent, and no handler is called after it was called.
 */
export class VideoSource {
  readonly #options: VideoSourceOptions;
  readonly #handlers: VideoSourceHandlers;
  readonly #live: boolean;
  readonly #timeline: Timeline;
  readonly #now: () => number;
  #run: FfmpegRun | undefined;
  #runOver: (() => void) | undefined;
  #retry: NodeJS.Timeout | undefined;
  #state: SourceState | undefined;
  #stopped = false;
  readonly #backoff: Backoff | undefined;
  #attempt = 0;
  #sequence = 0;
  #packets = 0;
  #lastPictureUs = -1;
  #pending: { packet: Uint8Array; ptsUs: number; key: boolean } | undefined;
  readonly #captureClock: CaptureClock;
  readonly #relay: PictureRelay;
  #picture: PictureRequest | undefined;
  readonly #decoder: DecoderChoice;
  readonly #watchdog: Watchdog;
  /** Settles when the decoder beside has room for more packets. */
  #roomBeside: Promise<void> | undefined;
  #restarting = false;
  #codec: string | undefined;
  /** Of the current run. */
  #frames = 0;
  #clockGuard = new ClockGuard();

  constructor(options: VideoSourceOptions, handlers: VideoSourceHandlers) {
    if (options.picture === undefined && !options.encoded) {
      throw sourceMisused('a source needs pictures, the encoded stream, or both');
    }
    this.#options = options;
    this.#handlers = handlers;
    this.#backoff = options.reconnect === false ? undefined : new Backoff(options.reconnect);
    const kind = sourceKind(options.url);
    this.#live = kind === 'rtsp' || kind === 'device';
    this.#timeline = new Timeline(this.#live);
    this.#captureClock = new CaptureClock(this.#live);
    this.#picture = options.picture;
    this.#decoder = new DecoderChoice(options.hardware);
    this.#watchdog = new Watchdog(
      (ms) => this.#run?.kill(this.#frames === 0 ? `no frame within ${ms} ms` : `no frame for ${ms} ms`),
      () => this.#run?.paused ?? false,
    );
    this.#relay = new PictureRelay(options.ffmpeg, {
      takeBuffer: (bytes, full) => this.#takeBuffer(bytes, full),
      deliver: (ptsUs, picture, full) => this.#deliver(ptsUs, picture, full),
      onLost: (reason) => this.#run?.kill(reason),
    });
    this.#now = options.clock ?? Date.now;
  }

  /** Starts connecting; results come through the handlers. */
  start(): void {
    if (this.#stopped || this.#state !== undefined) return;
    this.#setState('connecting', '');
    this.#connect();
  }

  /** Ends the process and waits until it is gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#watchdog.stop();
    this.#relay.reset();
    if (this.#run === undefined) return;
    const over = new Promise<void>((resolve) => {
      const before = this.#runOver;
      this.#runOver = () => {
        before?.();
        resolve();
      };
    });
    this.#run.kill();
    await over;
  }

  /**
   * Other pictures of the same stream: they take over between two frames, and `onTakeOver` is called there. The source
   * itself is not opened again, as long as its encoded stream is read, too; else frames are lost in between.
   *
   * @throws MEDIA_PICTURE_FAILED and the pictures stay as they are
   */
  async changePicture(picture: PictureRequest, onTakeOver: () => void): Promise<void> {
    if (this.#run !== undefined && this.#relay.canStart) await this.#relay.start(picture, onTakeOver);
    else {
      onTakeOver();
      this.#restarting = this.#run !== undefined;
      this.#run?.kill('other pictures are asked for');
    }
    this.#picture = picture;
  }

  #setState(state: SourceState, reason: string): void {
    this.#state = state;
    if (this.#stopped) return;
    const clean = redactSource(reason, this.#options.url);
    const fields = { url: redactSource(this.#options.url, this.#options.url), attempt: this.#attempt };
    const text = clean === '' ? `video source ${state}` : `video source ${state}: ${clean}`;
    if (state === 'reconnecting' || state === 'failed') this.#options.logger.warn(text, fields);
    else this.#options.logger.info(text, fields);
    this.#handlers.onState?.({ state, reason: clean, attempt: this.#attempt });
  }

  #connect(): void {
    if (this.#stopped) return;
    const obvious = sourceKind(this.#options.url) === 'file' ? whyNotAVideo(sourcePath(this.#options.url)) : undefined;
    if (obvious !== undefined) {
      this.#fail(obvious);
      return;
    }
    this.#frames = 0;
    this.#clockGuard = new ClockGuard();
    const run = new FfmpegRun(
      {
        url: this.#options.url,
        ffmpeg: this.#options.ffmpeg,
        picture: this.#picture,
        encoded: this.#options.encoded,
        ...(this.#options.dewarp ? { dewarp: this.#options.dewarp } : {}),
        ...(this.#decoder.hardware && this.#picture ? { hardware: this.#decoder.hardware } : {}),
        pace: this.#options.pace,
        socketTimeoutMs: this.#stallTimeoutMs,
        thoroughProbe: this.#attempt > 0,
      },
      {
        onStream: (stream) => {
          this.#codec = stream.codec;
          this.#handlers.onStream?.({
            sourceWidth: stream.width,
            sourceHeight: stream.height,
            codec: stream.codec,
            fps: stream.fps,
            pictureWidth: stream.picture?.width ?? 0,
            pictureHeight: stream.picture?.height ?? 0,
            decoder: this.#decoder.report,
          });
        },
        takeBuffer: (bytes, full) => this.#relay.ownBuffer(bytes) ?? this.#takeBuffer(bytes, full),
        onPicture: (picture, full) => this.#onPicture(picture, full),
        onEncodedHeader: (stream) => {
          const header = writeNutHeader(stream);
          this.#relay.onHeader(header);
          this.#handlers.onHeader?.(header);
        },
        allocatePacket: (rawUs, key, bytes) => this.#allocatePacket(rawUs, key, bytes),
        onPacket: () => this.#onPacket(),
        onExit: (exit) => void this.#onExit(exit),
      },
    );
    this.#run = run;
    run.start();
    this.#watchdog.start(this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
  }

  #takeBuffer(bytes: number, full: boolean): ArrayBufferLike {
    const handlers = this.#handlers;
    return (
      (full ? handlers.takeFullBuffer?.(bytes) : undefined) ?? handlers.takeBuffer?.(bytes) ?? new ArrayBuffer(bytes)
    );
  }

  get #stallTimeoutMs(): number {
    const { stallTimeoutMs = DEFAULT_STALL_TIMEOUT_MS, encoded } = this.#options;
    // Pictures that are rare on purpose are no sign of a dead camera.
    return encoded ? stallTimeoutMs : Math.max(stallTimeoutMs, 2000 / (this.#picture?.maxFps ?? Infinity));
  }

  /** Returns false for a frame that must not be used. */
  #onFrame(rawUs: number, counted: boolean): boolean {
    if (this.#stopped) return false;
    const nowMs = performance.now();
    this.#watchdog.seen(nowMs);
    if (!counted) return true;
    if (this.#frames++ === 0) {
      this.#backoff?.healthy();
      if (this.#state !== 'running') this.#setState('running', '');
      this.#watchdog.start(this.#stallTimeoutMs);
    }
    if (this.#live && this.#clockGuard.hasJumped(rawUs, nowMs)) {
      this.#handlers.onClockJump?.();
      this.#run?.kill("the camera's clock jumped");
      return false;
    }
    this.#timeline.count(rawUs, this.#now());
    return true;
  }

  #onPicture(picture: RawPicture, full: RawPicture | undefined): void | Promise<void> {
    if (!this.#onFrame(picture.rawUs, true)) return;
    const ptsUs = this.#timeline.map(picture.rawUs, this.#now());
    if (this.#relay.inCharge) return this.#roomBeside;
    if (ptsUs <= this.#lastPictureUs) {
      this.#options.logger.debug('picture without a later time dropped', { ptsUs, lastPtsUs: this.#lastPictureUs });
      return;
    }
    const held = this.#deliver(ptsUs, picture, full);
    this.#relay.delivered(ptsUs);
    return held;
  }

  #deliver(ptsUs: number, picture: RawPicture, full: RawPicture | undefined): void | Promise<void> {
    if (this.#stopped) return;
    this.#lastPictureUs = ptsUs;
    const { buffer, width, height } = picture;
    const held = this.#handlers.onPicture?.({
      sequence: this.#sequence++,
      ptsUs,
      captureTimeMs: this.#captureClock.at(ptsUs, this.#now()),
      // What is no full picture came from `takeBuffer`.
      buffer: buffer as ArrayBuffer,
      width,
      height,
      ...(full ? { full: { buffer: full.buffer, width: full.width, height: full.height } } : {}),
    });
    if (this.#sequence === this.#options.maxFrames) {
      if (held === undefined) this.#finish();
      else return held.then(() => this.#finish());
    }
    return held;
  }

  #allocatePacket(rawUs: number, key: boolean, bytes: number): Uint8Array | undefined {
    if (!this.#onFrame(rawUs, this.#picture === undefined)) return undefined;
    const ptsUs = this.#timeline.map(rawUs, this.#now());
    if (ptsUs < 0) return undefined;
    const { packet, payload } = allocateNutPacket(ptsUs, key, bytes);
    this.#pending = { packet, ptsUs, key };
    return payload;
  }

  #onPacket(): void {
    const pending = this.#pending;
    if (pending === undefined || this.#stopped) return;
    this.#pending = undefined;
    const room = this.#relay.onPacket(pending.packet, pending.key);
    if (room) this.#roomBeside = room.then(() => (this.#roomBeside = undefined));
    this.#handlers.onPacket?.({ ptsUs: pending.ptsUs, key: pending.key, bytes: pending.packet });
    if (this.#picture === undefined && ++this.#packets === this.#options.maxFrames) this.#finish();
  }

  /** Enough frames: a planned end. */
  #finish(): void {
    if (this.#stopped) return;
    this.#setState('ended', 'the wanted number of frames was reached');
    void this.stop();
  }

  async #onExit(exit: RunExit): Promise<void> {
    this.#watchdog.stop();
    this.#run = undefined;
    this.#pending = undefined;
    if (exit.clean) await this.#relay.endInput();
    this.#relay.reset();
    const over = this.#runOver;
    this.#runOver = undefined;
    this.#timeline.endRun();
    if (!this.#stopped) this.#decide(exit);
    over?.();
  }

  #decide(exit: RunExit): void {
    const inSoftware = this.#frames === 0 && this.#decoder.failed(exit.reason, this.#codec);
    if (inSoftware) this.#options.logger.warn(`video source: ${this.#decoder.report.reason ?? 'another decoder'}`);
    if (this.#restarting || inSoftware) {
      this.#restarting = false;
      this.#connect();
      return;
    }
    const finite = sourceKind(this.#options.url) === 'file' || (!this.#live && exit.hasDuration);
    if (finite && exit.clean && this.#frames > 0) {
      if (this.#options.loop) this.#connect();
      else this.#setState('ended', exit.reason);
      return;
    }
    const reason = exit.clean && this.#frames === 0 ? 'it holds no picture' : exit.reason;
    this.#fail(this.#live && exit.clean ? `the camera ended the stream (${reason})` : reason);
  }

  #fail(reason: string): void {
    if (this.#backoff === undefined) {
      this.#setState('failed', reason);
      return;
    }
    const delayMs = this.#backoff.next();
    this.#attempt = this.#backoff.failures;
    this.#setState('reconnecting', reason);
    this.#retry = setTimeout(() => this.#connect(), delayMs);
  }
}
