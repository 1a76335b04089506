import { existsSync, openSync, readSync, closeSync, statSync } from 'node:fs';
import { backoffDelayMs, DEFAULT_RESET_AFTER_MS, type BackoffOptions } from './backoff.ts';
import { sourceMisused } from './errors.ts';
import { sourceKind, sourcePath } from './ffmpeg-arguments.ts';
import { FfmpegRun, type RunExit } from './ffmpeg-run.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { allocateNutPacket, writeNutHeader } from './nut-writer.ts';
import type { PictureRequest } from './picture.ts';
import { redact } from './redact.ts';
import { Timeline } from './timeline.ts';

/** The part of a pino logger that this library uses. */
export interface MediaLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface VideoSourceOptions {
  /** `rtsp://`, `rtsps://`, `http(s)://`, `file://`, a path, or `/dev/videoN`. May hold credentials; they are not logged. */
  readonly url: string;
  readonly ffmpeg: Ffmpeg;
  /** The pictures wanted; undefined decodes nothing. */
  readonly picture: PictureRequest | undefined;
  /** Whether the encoded stream is wanted, too. */
  readonly encoded: boolean;
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
  readonly logger: MediaLogger;
  /** Wall clock in ms; default `Date.now`. */
  readonly clock?: () => number;
  /** For the jitter of the back-off; default `Math.random`. */
  readonly random?: () => number;
}

export interface SourceStream {
  /** Pixels of the camera's picture, before crop and scale. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  /** FFmpeg's name: `h264`, `hevc`, `mjpeg`, ... */
  readonly codec: string;
  /** Nominal; 0 when unknown. */
  readonly fps: number;
  /** Pixels of the pictures handed over; 0 when none are wanted. */
  readonly pictureWidth: number;
  readonly pictureHeight: number;
}

export interface Picture {
  /** Counts the pictures of this source from 0, across loops and reconnections. */
  readonly sequence: number;
  /** The frame's own time on the source's line of time: strictly increasing, equal to its packet's. */
  readonly ptsUs: number;
  /** Wall clock of the frame, ms since 1970: arrival of the first frame (or start) plus time difference. */
  readonly captureTimeMs: number;
  /** From `takeBuffer`; the receiver's from now on. Planes G, B, R, each `width * height` bytes. */
  readonly buffer: ArrayBuffer;
  readonly width: number;
  readonly height: number;
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
  onHeader?(bytes: Uint8Array): void;
  onPacket?(packet: EncodedPacket): void;
  onState?(change: SourceStateChange): void;
}

const DEFAULT_STALL_TIMEOUT_MS = 8000;
const DEFAULT_CONNECT_TIMEOUT_MS = 12_000;
/** A camera whose clock moves this much against ours has jumped. */
const CLOCK_JUMP_US = 10_000_000;
/** ffmpeg hides a step back by adding one tick a frame: so many such frames in a row give it away. */
const CRAWLING_FRAMES = 5;
/** A camera's capture time may drift this far from its arrival before it is set again. */
const MAX_CAPTURE_DRIFT_MS = 2000;

/**
 * A camera or file as timed pictures and encoded packets, both from one ffmpeg process and on one line of time.
 *
 * Runs on the caller's thread, so give it a worker's. `start` once; `stop` is idempotent, and no handler is called
 * after it was called.
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
  #runningSinceMs = 0;
  #jump = { rawUs: 0, wallMs: 0, crawling: 0 };

  constructor(options: VideoSourceOptions, handlers: VideoSourceHandlers) {
    if (options.picture === undefined && !options.encoded) {
      throw sourceMisused('a source needs pictures, the encoded stream, or both');
    }
    this.#options = options;
    this.#handlers = handlers;
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
    const clean = redact(reason, this.#options.url);
    const fields = {
      source: redact(this.#options.url, this.#options.url),
      state,
      reason: clean,
      attempt: this.#attempt,
    };
    if (state === 'reconnecting' || state === 'failed') this.#options.logger.warn(fields, 'video source');
    else this.#options.logger.info(fields, 'video source');
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
    this.#jump = { rawUs: 0, wallMs: 0, crawling: 0 };
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
      this.#runningSinceMs = this.#lastFrameMs;
      if (this.#state !== 'running') this.#setState('running', '');
      this.#watch(this.#stallTimeoutMs);
    }
    if (this.#live && this.#hasJumped(rawUs)) return false;
    this.#timeline.count(rawUs, this.#now());
    return true;
  }

  #hasJumped(rawUs: number): boolean {
    const { rawUs: beforeUs, wallMs: beforeMs } = this.#jump;
    this.#jump.rawUs = rawUs;
    this.#jump.wallMs = this.#lastFrameMs;
    if (this.#frames < 2) return false;
    const stepUs = rawUs - beforeUs;
    this.#jump.crawling = Math.abs(stepUs) < 100 ? this.#jump.crawling + 1 : 0;
    // Packets come in decoding order, where small steps back are normal.
    const forward = stepUs - (this.#lastFrameMs - beforeMs) * 1000 > CLOCK_JUMP_US;
    if (!forward && stepUs > -CLOCK_JUMP_US && this.#jump.crawling < CRAWLING_FRAMES) return false;
    this.#run?.kill("the camera's clock jumped");
    return true;
  }

  #onPicture(rawUs: number, buffer: ArrayBuffer, width: number, height: number): void | Promise<void> {
    if (!this.#onFrame(rawUs, true)) return;
    const ptsUs = this.#timeline.map(rawUs, this.#now());
    if (ptsUs <= this.#lastPictureUs) {
      this.#options.logger.debug({ ptsUs, lastPtsUs: this.#lastPictureUs }, 'picture without a later time dropped');
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
    if (this.#live && Math.abs(captureMs - now) > MAX_CAPTURE_DRIFT_MS) {
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
    const healthyMs = this.#frames > 0 ? performance.now() - this.#runningSinceMs : 0;
    const reconnect = this.#options.reconnect;
    if (reconnect !== false && healthyMs >= (reconnect.resetAfterMs ?? DEFAULT_RESET_AFTER_MS)) this.#attempt = 0;
    const reason = exit.clean && this.#frames === 0 ? 'it holds no picture' : exit.reason;
    this.#fail(this.#live && exit.clean ? `the camera ended the stream (${reason})` : reason);
  }

  #fail(reason: string): void {
    const reconnect = this.#options.reconnect;
    if (reconnect === false || this.#attempt >= (reconnect.maxAttempts ?? Infinity)) {
      this.#setState('failed', reason);
      return;
    }
    this.#attempt++;
    this.#setState('reconnecting', reason);
    const delayMs = backoffDelayMs(reconnect, this.#attempt, (this.#options.random ?? Math.random)());
    this.#retry = setTimeout(() => this.#connect(), delayMs);
  }
}

/** What can be said about a file without ffmpeg: its own words for these cases help nobody. */
function whyNotAVideo(path: string): string | undefined {
  if (path.startsWith('/dev/')) return undefined;
  if (!existsSync(path)) return `there is no file ${path}`;
  const stats = statSync(path);
  if (stats.isDirectory()) return `${path} is a folder`;
  if (stats.isFile() && stats.size === 0) return `${path} is empty`;
  if (!stats.isFile()) return undefined;
  const head = Buffer.alloc(256);
  let length: number;
  try {
    const file = openSync(path, 'r');
    try {
      length = readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch {
    return `${path} cannot be read`;
  }
  const text = head.toString('latin1', 0, length).trimStart();
  if (text.startsWith('version https://git-lfs'))
    return `${path} is a Git LFS pointer, not a video: run "git lfs pull"`;
  if (/^<(!doctype html|html|head|\?xml)/i.test(text)) return `${path} is a web page, not a video`;
  return undefined;
}
