import { ticksToUs, type NutStream } from './nut-format.ts';
import { NutReader, type NutFrame } from './nut-reader.ts';
import { TIME_OFFSET_SECONDS } from './ffmpeg-arguments.ts';
import type { FastPipe } from './fast-pipe.ts';
import { pictureBytes } from './picture.ts';

/** Raw pixels with the source's own time. */
export interface RawPicture {
  readonly rawUs: number;
  readonly buffer: ArrayBufferLike;
  readonly width: number;
  readonly height: number;
}

export interface PictureStreamHandlers {
  /** Before the first picture; a returned promise pauses the reading. */
  onSize(width: number, height: number): void | Promise<void>;
  takeBuffer(bytes: number): ArrayBufferLike;
  /** A returned promise pauses the reading. */
  onPicture(picture: RawPicture): void | Promise<void>;
  /** Nothing more is read. */
  onError(error: unknown): void;
  /** True: what still comes is of no use. */
  isOver(): boolean;
}

/** Reads one pipe of raw pictures. */
export class PictureStream {
  readonly #pipe: Pick<FastPipe, 'read' | 'resume'>;
  readonly #handlers: PictureStreamHandlers;
  readonly #reader: NutReader;
  #width = 0;
  #height = 0;
  #waiting: Promise<void> | undefined;
  paused = false;

  constructor(pipe: Pick<FastPipe, 'read' | 'resume'>, handlers: PictureStreamHandlers) {
    this.#pipe = pipe;
    this.#handlers = handlers;
    this.#reader = new NutReader({
      onStreams: ([stream]) => {
        this.#width = stream?.width ?? 0;
        this.#height = stream?.height ?? 0;
        this.#hold(handlers.onSize(this.#width, this.#height));
      },
      allocate: ({ sizeBytes }) => {
        // ffmpeg's raw video is tightly packed: any other size is not the picture the header promised.
        if (sizeBytes !== pictureBytes(this.#width, this.#height)) throw new Error('a picture has an unexpected size');
        return new Uint8Array(handlers.takeBuffer(sizeBytes), 0, sizeBytes);
      },
      onFrame: (frame, data) => {
        const picture = { rawUs: rawTimeUs(frame), buffer: data.buffer, width: this.#width, height: this.#height };
        this.#hold(handlers.onPicture(picture));
      },
    });
  }

  /** Resolves when all is read. */
  read(): Promise<void> {
    return new Promise((resolve) => this.#pipe.read((chunk) => this.#consume(chunk), resolve));
  }

  /** @throws when the stream was cut off */
  end(): void {
    this.#reader.end();
  }

  #hold(promise: void | Promise<void>): void {
    if (promise === undefined) return;
    this.#waiting = promise;
    this.#reader.pause();
  }

  #consume(chunk: Uint8Array): boolean {
    if (this.#handlers.isOver()) return false;
    try {
      const used = this.#reader.push(chunk);
      const held = this.#waiting;
      if (held === undefined) return true;
      this.#waiting = undefined;
      this.paused = true;
      held.then(
        () => {
          this.paused = false;
          if (used === chunk.length || this.#consume(chunk.subarray(used))) this.#pipe.resume();
        },
        (error: unknown) => this.#handlers.onError(error),
      );
    } catch (error) {
      this.#handlers.onError(error);
    }
    return false;
  }
}

const offsets = new WeakMap<NutStream, number>();

/** The time before `TIME_OFFSET_SECONDS` was added. */
export function rawTimeUs(frame: NutFrame): number {
  let offset = offsets.get(frame.stream);
  if (offset === undefined) {
    const { num, den } = frame.stream.timeBase;
    offset = Math.round((TIME_OFFSET_SECONDS * den) / num);
    offsets.set(frame.stream, offset);
  }
  return ticksToUs(frame.pts - offset, frame.stream.timeBase);
}
