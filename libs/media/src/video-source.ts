import { Backoff } from '@vantage/observability';
import { ClockGuard } from './clock-guard.ts';
import { sourceMisused } from './errors.ts';
import { sourceKind, sourcePath } from './ffmpeg-arguments.ts';
import { FfmpegRun, type RunExit } from './ffmpeg-run.ts';
import { whyNotAVideo } from './file-check.ts';
import { allocateNutPacket, writeNutHeader } from './nut-writer.ts';
import { redactSource } from './redact.ts';
import { Timeline } from './timeline.ts';
import type { SourceState, VideoSourceHandlers, VideoSourceOptions } from './video-source-types.ts';

const DEFAULT_STALL_TIMEOUT_MS = 8000;
const DEFAULT_CONNECT_TIMEOUT_MS = 12_000;
/** How far a camera's capture times may lag behind its frames' arrival before they are set again. */
const MAX_CAPTURE_DRIFT_MS = 2000;

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
  #timer: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #state: SourceState | undefined;
  #stopped = false;
  readonly #backoff: Backoff | undefined;
  #attempt = 0;
  #sequence = 0;
  #packets = 0;
  #lastPictureUs = -1;
  #pending: { packet: Uint8Array; ptsUs: number; key: boolean } | undefined;
  #captureAnchor: { ptsUs: number; wallMs: number } | undefined;
  #lastCaptureMs = 0;
  /** Of the current run. */
  #frames = 0;
  #lastFrameMs = 0;
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
    clearTimeout(this.#timer);
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
    this.#lastFrameMs = performance.now();
    this.#clockGuard = new ClockGuard();
    const run = new FfmpegRun(
      {
        url: this.#options.url,
        ffmpeg: this.#options.ffmpeg,
        picture: this.#options.picture,
        encoded: this.#options.encoded,
        pace: this.#options.pace,
        socketTimeoutMs: this.#stallTimeoutMs,
        thoroughProbe: this.#attempt > 0,
      },
      {
        onStream: (stream) => {
          this.#handlers.onStream?.({
            sourceWidth: stream.width,
            sourceHeight: stream.height,
            codec: stream.codec,
            fps: stream.fps,
            pictureWidth: stream.picture?.width ?? 0,
            pictureHeight: stream.picture?.height ?? 0,
          });
        },
        takeBuffer: (bytes) => this.#handlers.takeBuffer?.(bytes) ?? new ArrayBuffer(bytes),
        onPicture: (rawUs, buffer, width, height) => this.#onPicture(rawUs, buffer, width, height),
        onEncodedHeader: (stream) => this.#handlers.onHeader?.(writeNutHeader(stream)),
        allocatePacket: (rawUs, key, bytes) => this.#allocatePacket(rawUs, key, bytes),
        onPacket: () => this.#onPacket(),
        onExit: (exit) => this.#onExit(exit),
      },
    );
    this.#run = run;
    run.start();
    this.#watch(this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS);
  }

  get #stallTimeoutMs(): number {
    return this.#options.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS;
  }

  /** One timer that looks at the last frame's time when it fires, instead of one timer a frame. */
  #watch(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const run = this.#run;
      if (run === undefined || this.#stopped) return;
      if (run.paused) this.#lastFrameMs = performance.now();
      const connecting = this.#frames === 0;
      const allowedMs = connecting
        ? (this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS)
        : this.#stallTimeoutMs;
      const leftMs = allowedMs - (performance.now() - this.#lastFrameMs);
      if (leftMs > 1) this.#watch(leftMs);
      else run.kill(connecting ? `no frame within ${allowedMs} ms` : `no frame for ${allowedMs} ms`);
    }, waitMs);
  }

  /** Returns false for a frame that must not be used. */
  #onFrame(rawUs: number, counted: boolean): boolean {
    if (this.#stopped) return false;
    this.#lastFrameMs = performance.now();
    if (!counted) return true;
    if (this.#frames++ === 0) {
      this.#backoff?.healthy();
      if (this.#state !== 'running') this.#setState('running', '');
      this.#watch(this.#stallTimeoutMs);
    }
    if (this.#live && this.#clockGuard.hasJumped(rawUs, this.#lastFrameMs)) {
      this.#run?.kill("the camera's clock jumped");
      return false;
    }
    this.#timeline.count(rawUs, this.#now());
    return true;
  }

  #onPicture(rawUs: number, buffer: ArrayBuffer, width: number, height: number): void | Promise<void> {
    if (!this.#onFrame(rawUs, true)) return;
    const ptsUs = this.#timeline.map(rawUs, this.#now());
    if (ptsUs <= this.#lastPictureUs) {
      this.#options.logger.debug('picture without a later time dropped', { ptsUs, lastPtsUs: this.#lastPictureUs });
      return;
    }
    this.#lastPictureUs = ptsUs;
    const picture = {
      sequence: this.#sequence++,
      ptsUs,
      captureTimeMs: this.#captureTimeMs(ptsUs),
      buffer,
      width,
      height,
    };
    const held = this.#handlers.onPicture?.(picture);
    if (this.#sequence === this.#options.maxFrames) {
      if (held === undefined) this.#finish();
      else return held.then(() => this.#finish());
    }
    return held;
  }

  #allocatePacket(rawUs: number, key: boolean, bytes: number): Uint8Array | undefined {
    if (!this.#onFrame(rawUs, this.#options.picture === undefined)) return undefined;
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
    this.#handlers.onPacket?.({ ptsUs: pending.ptsUs, key: pending.key, bytes: pending.packet });
    if (this.#options.picture === undefined && ++this.#packets === this.#options.maxFrames) this.#finish();
  }

  #captureTimeMs(ptsUs: number): number {
    const now = this.#now();
    this.#captureAnchor ??= { ptsUs, wallMs: now };
    let captureMs = this.#captureAnchor.wallMs + (ptsUs - this.#captureAnchor.ptsUs) / 1000;
    // A frame cannot be from the future: the first ones came late, out of the buffer that probing filled.
    if (this.#live && (captureMs > now || now - captureMs > MAX_CAPTURE_DRIFT_MS)) {
      this.#captureAnchor = { ptsUs, wallMs: now };
      captureMs = now;
    }
    this.#lastCaptureMs = Math.max(this.#lastCaptureMs, Math.round(captureMs));
    return this.#lastCaptureMs;
  }

  /** Enough frames: a planned end. */
  #finish(): void {
    if (this.#stopped) return;
    this.#setState('ended', 'the wanted number of frames was reached');
    void this.stop();
  }

  #onExit(exit: RunExit): void {
    clearTimeout(this.#timer);
    this.#run = undefined;
    this.#pending = undefined;
    const over = this.#runOver;
    this.#runOver = undefined;
    this.#timeline.endRun();
    if (!this.#stopped) this.#decide(exit);
    over?.();
  }

  #decide(exit: RunExit): void {
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
