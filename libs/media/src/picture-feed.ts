import { spawn, type ChildProcess } from 'node:child_process';
import { messageOf } from '@vantage/contracts';
import { FfmpegLog } from './ffmpeg-log.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { nutPacketPrefix, writeNutHeader } from './nut-writer.ts';

/** How the bytes of a raw 8-bit picture lie, without padding; names as ffmpeg's. `gbrp` is planes in the order G, B, R. */
export type RawFormat = 'rgb24' | 'bgr24' | 'gbrp' | 'yuv420p';

export interface PictureFeedOptions {
  readonly ffmpeg: Ffmpeg;
  readonly format: RawFormat;
  /** Pixels of every picture. */
  readonly width: number;
  readonly height: number;
  /** ffmpeg's arguments behind its input: filters, encoder, output. */
  readonly output: readonly string[];
  /** Pictures at most that wait for ffmpeg; one more is refused. Default 3. */
  readonly maxWaiting?: number;
  /** ffmpeg is given up when it takes nothing for so long. Default 20 s. */
  readonly stallTimeoutMs?: number;
  /** What ffmpeg writes to its standard output. Absent: nothing is read. */
  readonly onOutput?: (chunk: Buffer) => void;
}

export interface FedPicture {
  /** Time of the picture, microseconds; must grow from picture to picture. The first one is at 0 in the output. */
  readonly ptsUs: number;
  /** Must stay as it is until `write` has settled. */
  readonly data: Uint8Array;
}

/** Names of raw video in NUT (libavformat/nut.c). */
const FOURCC: Readonly<Record<RawFormat, readonly number[]>> = {
  rgb24: [0x52, 0x47, 0x42, 24],
  bgr24: [0x42, 0x47, 0x52, 24],
  gbrp: [0x47, 0x33, 0, 8],
  yuv420p: [0x49, 0x34, 0x32, 0x30],
};
const CLOSE_TIMEOUT_MS = 30_000;

/**
 * An ffmpeg that is fed with raw pictures, each with its own time: a variable rate stays what it is.
 *
 * `end` or `kill` must be called. Holds at most `maxWaiting` pictures, which are the caller's: nothing is copied.
 */
export class PictureFeed {
  readonly #options: PictureFeedOptions;
  readonly #child: ChildProcess;
  readonly #log = new FfmpegLog('');
  readonly #exited: Promise<number | null>;
  readonly #pictureBytes: number;
  #waiting = 0;
  #failure: string | undefined;
  #firstUs: number | undefined;
  #lastUs = -1;
  #written = 0;
  #dropped = 0;
  #stall: NodeJS.Timeout | undefined;
  #ending: Promise<string | undefined> | undefined;

  constructor(options: PictureFeedOptions) {
    this.#options = options;
    const { ffmpeg, format, width, height, output, onOutput } = options;
    this.#pictureBytes = bytesOf(format, width, height);
    const input = ['-threads', '1', '-f', 'nut', '-i', 'pipe:0', '-map', '0:v:0'];
    this.#child = spawn(ffmpeg.path, ['-hide_banner', '-nostats', '-loglevel', 'level+warning', ...input, ...output], {
      stdio: ['pipe', onOutput ? 'pipe' : 'ignore', 'pipe'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#log.push(text));
    this.#child.stdin?.on('error', (error) => (this.#failure ??= messageOf(error)));
    if (onOutput) this.#child.stdout?.on('data', onOutput);
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#failure ??= messageOf(error);
        resolve(null);
      });
      this.#child.on('close', (code) => {
        if (!this.#ending) this.#failure ??= `ffmpeg ended with status ${code}`;
        clearTimeout(this.#stall);
        resolve(code);
      });
    });
    const stream = { id: 0, streamClass: 0, timeBase: { num: 1, den: 1_000_000 }, msbPtsShift: 7, maxPtsDistance: 0 };
    const codec = { fourcc: Uint8Array.from(FOURCC[format]), decodeDelay: 0, codecData: new Uint8Array(0) };
    this.#child.stdin?.write(writeNutHeader({ ...stream, ...codec, width, height }));
  }

  /** Why nothing is taken any more. */
  get failure(): string | undefined {
    return this.#failure === undefined ? undefined : (this.#log.reason() ?? this.#failure);
  }

  /** Pictures that ffmpeg has taken. */
  get written(): number {
    return this.#written;
  }

  /** Pictures that were refused: too many waited, or a time that did not grow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Time of the first and the last picture that was taken, microseconds as they came. */
  get span(): { readonly firstUs: number; readonly lastUs: number } {
    return { firstUs: this.#firstUs ?? 0, lastUs: this.#lastUs };
  }

  /**
   * Resolves when the picture's bytes may be used again: true when ffmpeg has them, false when the picture was refused or
   * ffmpeg has failed (see `failure`). Never rejects.
   */
  write({ ptsUs, data }: FedPicture): Promise<boolean> {
    const input = this.#child.stdin;
    if (!input || this.#ending || this.#failure !== undefined) return Promise.resolve(false);
    const grows = Number.isFinite(ptsUs) && (this.#firstUs === undefined || ptsUs > this.#lastUs);
    const full = this.#waiting >= (this.#options.maxWaiting ?? 3);
    if (!grows || full || data.length !== this.#pictureBytes) {
      this.#dropped += 1;
      return Promise.resolve(false);
    }
    this.#firstUs ??= ptsUs;
    this.#lastUs = ptsUs;
    this.#waiting += 1;
    this.#watch();
    return new Promise((resolve) => {
      input.write(nutPacketPrefix(Math.round(ptsUs - (this.#firstUs ?? 0)), true, data.length));
      input.write(data, (error) => {
        this.#waiting -= 1;
        this.#watch();
        if (!error) this.#written += 1;
        resolve(!error);
      });
    });
  }

  /** Lets ffmpeg finish. Resolves with undefined, or why the output is not whole. Idempotent; never rejects. */
  end(): Promise<string | undefined> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  /** Ends ffmpeg at once. */
  async kill(reason = 'given up'): Promise<void> {
    this.#fail(reason);
    await this.end();
  }

  async #end(): Promise<string | undefined> {
    clearTimeout(this.#stall);
    if (this.#failure !== undefined) this.#child.kill('SIGKILL');
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#fail(`ffmpeg did not finish within ${CLOSE_TIMEOUT_MS} ms`), CLOSE_TIMEOUT_MS);
    const code = await this.#exited;
    clearTimeout(timer);
    if (this.#failure === undefined && code === 0) return undefined;
    return this.failure ?? this.#log.reason() ?? `ffmpeg ended with status ${code}`;
  }

  #watch(): void {
    clearTimeout(this.#stall);
    if (this.#waiting === 0) return;
    const limit = this.#options.stallTimeoutMs ?? 20_000;
    this.#stall = setTimeout(() => this.#fail(`ffmpeg took no picture for ${limit} ms`), limit);
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.#child.kill('SIGKILL');
  }
}

function bytesOf(format: RawFormat, width: number, height: number): number {
  if (format !== 'yuv420p') return 3 * width * height;
  return width * height + 2 * ((width + 1) >> 1) * ((height + 1) >> 1);
}
