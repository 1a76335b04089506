import { spawn, type ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import { messageOf } from '@vantage/contracts';
import {
  ENCODED_FD,
  FULL_FD,
  PACKETS_URL,
  sourceArguments,
  sourceKind,
  type ProcessOptions,
} from './ffmpeg-arguments.ts';
import { openFastPipe, type FastPipe } from './fast-pipe.ts';
import { FfmpegLog, type SourceInfo } from './ffmpeg-log.ts';
import type { NutStream } from './nut-format.ts';
import { NutReader, type NutFrame } from './nut-reader.ts';
import { PicturePairs } from './picture-pairs.ts';
import { hasTwoPictures } from './picture.ts';
import { PictureStream, rawTimeUs, type PictureStreamHandlers, type RawPicture } from './picture-stream.ts';
import { redactSource } from './redact.ts';

type Pipe = Pick<FastPipe, 'read' | 'resume'>;

function pipeOf(stream: Readable): Pipe {
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
  /** @param full for a picture at the source's own resolution */
  takeBuffer(bytes: number, full: boolean): ArrayBufferLike;
  /** `full` where it was asked for. A returned promise pauses the reading of pictures. */
  onPicture(picture: RawPicture, full: RawPicture | undefined): void | Promise<void>;
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

function childPipe(child: ChildProcess, fd: number): Pipe | undefined {
  const stream = child.stdio[fd];
  return stream instanceof Readable ? pipeOf(stream) : undefined;
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
  #announced = false;
  #infoTimer: NodeJS.Timeout | undefined;
  #resume: (() => void) | undefined;
  readonly #fromZero: boolean;
  /** Packets that came before the process was there. */
  readonly #early: Uint8Array[] = [];
  #inputEnded = false;
  readonly #readers: { end(): void }[] = [];
  readonly #pipes: FastPipe[] = [];
  readonly #pictures: PictureStream[] = [];

  constructor(options: ProcessOptions, handlers: RunHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#log = new FfmpegLog(options.url);
    this.#fromZero = sourceKind(options.url) === 'rtsp';
  }

  /** True while the consumer's promise holds the pictures back. */
  get paused(): boolean {
    return this.#pictures.some((stream) => stream.paused);
  }

  start(): void {
    void this.#open();
  }

  /** Packets for a run that reads `PACKETS_URL`. Resolves when there is room for more; undefined: there is. */
  write(bytes: Uint8Array): void | Promise<void> {
    const input = this.#child?.stdin;
    if (!input?.writable) {
      if (this.#child === undefined && !this.#killed) this.#early.push(bytes);
      return undefined;
    }
    if (input.write(bytes)) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        input.off('drain', done).off('close', done);
        resolve();
      };
      input.on('drain', done).on('close', done);
    });
  }

  /** Bytes that were written and not taken yet. */
  get writableLength(): number {
    return this.#child?.stdin?.writableLength ?? 0;
  }

  /** No more packets come: the run ends with the last picture. */
  endInput(): void {
    this.#inputEnded = true;
    this.#child?.stdin?.end();
  }

  async #open(): Promise<void> {
    const { picture, encoded, ffmpeg, url } = this.#options;
    const two = picture !== undefined && hasTwoPictures(picture);
    const wanted = [...(picture ? [1] : []), ...(two ? [FULL_FD] : [])];
    const pipes = await Promise.all(wanted.map(() => openFastPipe()));
    for (const pipe of pipes) if (pipe) this.#pipes.push(pipe);
    if (this.#killed) {
      for (const pipe of this.#pipes) pipe.destroy();
      this.#exited(null, null);
      return;
    }
    const [small, full] = pipes;
    const child = spawn(ffmpeg.path, sourceArguments(this.#options), {
      stdio: [
        url === PACKETS_URL ? 'pipe' : 'ignore',
        picture === undefined ? 'ignore' : (small?.writeFd ?? 'pipe'),
        'pipe',
        encoded ? 'pipe' : 'ignore',
        ...(two ? [full?.writeFd ?? ('pipe' as const)] : []),
      ],
      windowsHide: true,
    });
    for (const pipe of this.#pipes) pipe.closeWriter();
    this.#child = child;
    child.on('error', (error) => (this.#failure ??= redactSource(messageOf(error), url)));
    // What breaks the pipe is said by the exit.
    child.stdin?.on('error', () => undefined);
    for (const bytes of this.#early.splice(0)) child.stdin?.write(bytes);
    if (this.#inputEnded) child.stdin?.end();
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#log.push(text);
      if (this.#log.info !== undefined) this.#resume?.();
    });
    const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      child.on('close', (code, signal) => resolve([code, signal]));
    });
    const read = this.#readPictures(small ?? childPipe(child, 1), full ?? childPipe(child, FULL_FD));
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
    for (const pipe of this.#pipes) pipe.destroy();
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

  /** A camera's time starts at 0; the decoder guesses a little less for the first picture, whose time FFmpeg lost. */
  #rawUs(rawUs: number): number {
    return this.#fromZero ? Math.max(0, rawUs) : rawUs;
  }

  /** Resolves when all is read. */
  async #readPictures(small: Pipe | undefined, full: Pipe | undefined): Promise<void> {
    const { picture } = this.#options;
    if (!picture || !small) return;
    const deliver = (one: RawPicture, whole: RawPicture | undefined): void | Promise<void> => {
      this.#frames++;
      return this.#handlers.onPicture({ ...one, rawUs: this.#rawUs(one.rawUs) }, whole);
    };
    const pairs = hasTwoPictures(picture) ? new PicturePairs(deliver) : undefined;
    const fullOnly = pairs === undefined && picture.full === true;
    const onFirst = (one: RawPicture): void | Promise<void> => {
      if (pairs) return pairs.pushSmall(one);
      return fullOnly ? deliver({ ...one, buffer: new ArrayBuffer(0) }, one) : deliver(one, undefined);
    };
    const announced = (width: number, height: number): Promise<void> =>
      this.#whenDescribed().then(() => this.#announce({ width, height }));
    const streams = [
      this.#pictureStream(small, fullOnly, announced, onFirst),
      // A pair waits for the small picture, and so for the announcement.
      ...(pairs && full
        ? [
            this.#pictureStream(
              full,
              true,
              () => undefined,
              (one) => pairs.pushFull(one),
            ),
          ]
        : []),
    ];
    await Promise.all(streams.map((stream) => stream.read()));
  }

  #pictureStream(
    pipe: Pipe,
    full: boolean,
    onSize: PictureStreamHandlers['onSize'],
    onPicture: (picture: RawPicture) => void | Promise<void>,
  ): PictureStream {
    const stream = new PictureStream(pipe, {
      onSize,
      onPicture,
      takeBuffer: (bytes) => this.#handlers.takeBuffer(bytes, full),
      onError: (error) => this.#fail(error),
      isOver: () => this.#killed,
    });
    this.#pictures.push(stream);
    this.#readers.push(stream);
    return stream;
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
      allocate: (frame: NutFrame) => {
        this.#frames++;
        return this.#handlers.allocatePacket(this.#rawUs(rawTimeUs(frame)), frame.key, frame.sizeBytes);
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
    const { dewarp } = this.#options;
    this.#handlers.onStream({
      ...(this.#log.info ?? { ...unknown, hasDuration: false }),
      ...(dewarp ? { width: dewarp.width, height: dewarp.height } : {}),
      picture,
    });
  }
}
