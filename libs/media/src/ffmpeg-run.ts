import { spawn, type ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { messageOf } from '@vantage/contracts';
import {
  ENCODED_FD,
  TIME_OFFSET_SECONDS,
  sourceArguments,
  sourceKind,
  type ProcessOptions,
} from './ffmpeg-arguments.ts';
import { openFastPipe, type FastPipe } from './fast-pipe.ts';
import { FfmpegLog, type SourceInfo } from './ffmpeg-log.ts';
import { ticksToUs, type NutStream } from './nut-format.ts';
import { NutReader, type NutFrame } from './nut-reader.ts';
import { pictureBytes } from './picture.ts';
import { redactSource } from './redact.ts';

function pipeOf(stream: Readable): Pick<FastPipe, 'read' | 'resume'> {
  return {
    read: (onData, onEnd) => {
      stream.on('data', (chunk: Uint8Array) => {
        if (!onData(chunk)) stream.pause();
      });
      stream.on('close', onEnd);
    },
    resume: () => void stream.resume(),
  };
}

/** How long the first picture waits for ffmpeg's log to say what the source is. */
const INFO_WAIT_MS = 2000;

export interface RunStream extends SourceInfo {
  /** Pixels of the pictures; undefined when none were asked for. */
  readonly picture: { readonly width: number; readonly height: number } | undefined;
}

export interface RunHandlers {
  /** What the source is; before the first picture. */
  onStream(stream: RunStream): void;
  takeBuffer(bytes: number): ArrayBuffer;
  /** `rawUs` is the file's or camera's own time. A returned promise pauses the reading of pictures. */
  onPicture(rawUs: number, buffer: ArrayBuffer, width: number, height: number): void | Promise<void>;
  onEncodedHeader(stream: NutStream): void;
  /** Where a packet of the encoded stream goes; undefined drops it. */
  allocatePacket(rawUs: number, key: boolean, bytes: number): Uint8Array | undefined;
  onPacket(): void;
  /** Called once, after everything was delivered. */
  onExit(exit: RunExit): void;
}

export interface RunExit {
  /** True when the process ended by itself with status 0 and both streams are whole. */
  readonly clean: boolean;
  readonly frames: number;
  /** Why it ended, for people, without credentials. */
  readonly reason: string;
  readonly hasDuration: boolean;
}

/** One ffmpeg process: spawned by the constructor's `start`, gone after `onExit`. */
export class FfmpegRun {
  readonly #options: ProcessOptions;
  readonly #handlers: RunHandlers;
  readonly #log: FfmpegLog;
  #child: ChildProcess | undefined;
  #frames = 0;
  #failure: string | undefined;
  #killed = false;
  #paused = false;
  #announced = false;
  #infoTimer: NodeJS.Timeout | undefined;
  #resume: (() => void) | undefined;
  readonly #fromZero: boolean;
  readonly #readers: NutReader[] = [];
  #pipe: FastPipe | undefined;
  #offsetTicks = new Map<NutStream, number>();

  constructor(options: ProcessOptions, handlers: RunHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#log = new FfmpegLog(options.url);
    this.#fromZero = sourceKind(options.url) === 'rtsp';
  }

  /** True while the consumer's promise holds the pictures back. */
  get paused(): boolean {
    return this.#paused;
  }

  start(): void {
    void this.#open();
  }

  async #open(): Promise<void> {
    const { picture, encoded, ffmpeg, url } = this.#options;
    const pipe = picture === undefined ? undefined : await openFastPipe();
    if (this.#killed) {
      pipe?.destroy();
      this.#exited(null, null);
      return;
    }
    const child = spawn(ffmpeg.path, sourceArguments(this.#options), {
      stdio: [
        'ignore',
        picture === undefined ? 'ignore' : (pipe?.writeFd ?? 'pipe'),
        'pipe',
        encoded ? 'pipe' : 'ignore',
      ],
      windowsHide: true,
    });
    pipe?.closeWriter();
    this.#child = child;
    this.#pipe = pipe;
    child.on('error', (error) => (this.#failure ??= redactSource(messageOf(error), url)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log.push(text);
      if (this.#log.info !== undefined) this.#resume?.();
    });
    const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.on('close', (code, signal) => resolve([code, signal]));
    });
    const pictures = pipe ?? (child.stdout === null ? undefined : pipeOf(child.stdout));
    const read = pictures === undefined ? undefined : this.#readPictures(pictures);
    const packets = child.stdio[ENCODED_FD];
    if (encoded && packets instanceof Readable) this.#readPackets(packets);
    const [code, signal] = await closed;
    await read;
    this.#exited(code, signal);
  }

  /** Ends the process; `onExit` follows. No handler but `onExit` is called any more. */
  kill(reason?: string): void {
    if (reason !== undefined) this.#failure ??= reason;
    this.#killed = true;
    clearTimeout(this.#infoTimer);
    const child = this.#child;
    if (child === undefined) return;
    this.#pipe?.destroy();
    for (const stream of child.stdio) stream?.destroy();
    child.kill('SIGKILL');
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(this.#infoTimer);
    if (!this.#killed) {
      try {
        for (const reader of this.#readers) reader.end();
      } catch (error) {
        // Nothing at all came: ffmpeg's own words say more.
        if (this.#frames > 0) this.#failure ??= messageOf(error);
      }
    }
    const clean = !this.#killed && this.#failure === undefined && code === 0;
    const status = signal === null ? `ffmpeg ended with status ${code}` : `ffmpeg was ended by ${signal}`;
    const said = this.#log.reason();
    const reason =
      this.#failure ??
      (signal === null && (this.#frames === 0 || code !== 0) ? said : undefined) ??
      (clean ? 'end of the stream' : status);
    this.#handlers.onExit({ clean, frames: this.#frames, reason, hasDuration: this.#log.info?.hasDuration ?? false });
  }

  #fail(error: unknown): void {
    this.kill(redactSource(messageOf(error), this.#options.url));
  }

  #rawUs(frame: NutFrame): number {
    let offset = this.#offsetTicks.get(frame.stream);
    if (offset === undefined) {
      const { num, den } = frame.stream.timeBase;
      offset = Math.round((TIME_OFFSET_SECONDS * den) / num);
      this.#offsetTicks.set(frame.stream, offset);
    }
    const rawUs = ticksToUs(frame.pts - offset, frame.stream.timeBase);
    // A camera's time starts at 0; the decoder guesses a little less for the first picture, whose time FFmpeg lost.
    return this.#fromZero ? Math.max(0, rawUs) : rawUs;
  }

  /** Resolves when all is read. */
  #readPictures(pipe: Pick<FastPipe, 'read' | 'resume'>): Promise<void> {
    let width = 0;
    let height = 0;
    let waiting: Promise<void> | undefined;
    const reader = new NutReader({
      onStreams: (streams) => {
        width = streams[0]?.width ?? 0;
        height = streams[0]?.height ?? 0;
        waiting = this.#whenDescribed().then(() => this.#announce({ width, height }));
        reader.pause();
      },
      allocate: (frame) => {
        // ffmpeg's raw video is tightly packed: any other size is not the picture the header promised.
        if (frame.sizeBytes !== pictureBytes(width, height)) throw new Error('a picture has an unexpected size');
        return new Uint8Array(this.#handlers.takeBuffer(frame.sizeBytes), 0, frame.sizeBytes);
      },
      onFrame: (frame, data) => {
        this.#frames++;
        const held = this.#handlers.onPicture(this.#rawUs(frame), data.buffer as ArrayBuffer, width, height);
        if (held === undefined) return;
        waiting = held;
        reader.pause();
      },
    });
    this.#readers.push(reader);
    const consume = (chunk: Uint8Array): boolean => {
      if (this.#killed) return false;
      try {
        const used = reader.push(chunk);
        if (waiting === undefined) return true;
        const held = waiting;
        waiting = undefined;
        this.#paused = true;
        held.then(
          () => {
            this.#paused = false;
            if (used === chunk.length || consume(chunk.subarray(used))) pipe.resume();
          },
          (error: unknown) => this.#fail(error),
        );
      } catch (error) {
        this.#fail(error);
      }
      return false;
    };
    return new Promise((resolve) => pipe.read(consume, resolve));
  }

  #readPackets(stream: Readable): void {
    const withPictures = this.#options.picture !== undefined;
    const reader = new NutReader({
      onStreams: (streams) => {
        const stream = streams[0];
        if (stream === undefined) return;
        this.#handlers.onEncodedHeader(stream);
        if (!withPictures) void this.#whenDescribed().then(() => this.#announce(undefined));
      },
      allocate: (frame) => {
        this.#frames++;
        return this.#handlers.allocatePacket(this.#rawUs(frame), frame.key, frame.sizeBytes);
      },
      onFrame: () => this.#handlers.onPacket(),
    });
    this.#readers.push(reader);
    stream.on('data', (chunk: Uint8Array) => {
      if (this.#killed) return;
      try {
        reader.push(chunk);
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** The log and the pictures come through different pipes: the description may arrive second. */
  #whenDescribed(): Promise<void> {
    if (this.#log.info !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#infoTimer = setTimeout(resolve, INFO_WAIT_MS);
    });
  }

  #announce(picture: { width: number; height: number } | undefined): void {
    if (this.#announced || this.#killed) return;
    this.#announced = true;
    clearTimeout(this.#infoTimer);
    this.#resume = undefined;
    const unknown = { codec: 'unknown', width: picture?.width ?? 0, height: picture?.height ?? 0, fps: 0 };
    this.#handlers.onStream({ ...(this.#log.info ?? { ...unknown, hasDuration: false }), picture });
  }
}
