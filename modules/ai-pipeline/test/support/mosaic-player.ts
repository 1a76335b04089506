import { spawn, type ChildProcess } from 'node:child_process';
import type { Ffmpeg } from '@vantage/media';

export const MOSAIC_WIDTH = 1280;
export const MOSAIC_HEIGHT = 720;
const PIXELS = MOSAIC_WIDTH * MOSAIC_HEIGHT;
const BYTES = 1.5 * PIXELS;

export type Rgb = readonly [red: number, green: number, blue: number];

/** A picture as a player shows it. */
export class Shown {
  readonly #planes: Buffer;

  /** @param planes 4:2:0, BT.601 with limited range */
  constructor(planes: Buffer) {
    this.#planes = planes;
  }

  at(x: number, y: number): Rgb {
    const chroma = PIXELS + (y >> 1) * (MOSAIC_WIDTH / 2) + (x >> 1);
    const luma = 1.164 * (this.#planes[y * MOSAIC_WIDTH + x]! - 16);
    const [u, v] = [this.#planes[chroma]! - 128, this.#planes[chroma + PIXELS / 4]! - 128];
    const rgb = [luma + 1.596 * v, luma - 0.392 * u - 0.813 * v, luma + 2.017 * u];
    const [red = 0, green = 0, blue = 0] = rgb.map((value) => Math.max(0, Math.min(255, Math.round(value))));
    return [red, green, blue];
  }

  /** Whether a pixel has a colour, but for what an encoder changes. */
  is(x: number, y: number, colour: Rgb): boolean {
    return this.at(x, y).every((value, at) => Math.abs(value - colour[at]!) < 30);
  }
}

/** Plays a mosaic over RTSP until it is closed, in one connection; asks again as long as there is no first picture (503). */
export class MosaicPlayer {
  /** Of all pictures that came, seconds. */
  readonly times: number[] = [];
  pictures = 0;
  newest: Shown | undefined;
  readonly ended: Promise<void>;
  readonly #command: readonly [program: string, args: readonly string[]];
  #child: ChildProcess;
  #filling = Buffer.alloc(BYTES);
  #filled = 0;
  #log = '';
  #isOver = false;
  #wake: (() => void)[] = [];

  constructor(ffmpeg: Ffmpeg, url: string) {
    const input = ['-hide_banner', '-nostats', '-v', 'info', '-rtsp_transport', 'tcp', '-i', url, '-map', '0:v'];
    const output = [
      '-copyts',
      '-fps_mode',
      'passthrough',
      '-vf',
      'showinfo',
      '-pix_fmt',
      'yuv420p',
      '-f',
      'rawvideo',
      '-',
    ];
    this.#command = [ffmpeg.path, [...input, ...output]];
    const over = Promise.withResolvers<void>();
    this.ended = over.promise;
    this.#child = this.#open(over.resolve);
  }

  #open(end: () => void): ChildProcess {
    const child = spawn(...this.#command, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    child.on('close', () => {
      if (!this.#isOver && this.pictures === 0 && this.#log.includes('503 Service Unavailable')) {
        this.#log = '';
        this.#child = this.#open(end);
        return;
      }
      this.#isOver = true;
      this.#tell();
      end();
    });
    return child;
  }

  /** The next picture for which it holds. */
  async until(holds: (picture: Shown) => boolean): Promise<Shown> {
    for (;;) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
      if (this.#isOver) throw new Error(`the player ended: ${this.#log.slice(-500)}`);
      if (this.newest && holds(this.newest)) return this.newest;
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #take(chunk: Buffer): void {
    const taken = chunk.copy(this.#filling, this.#filled);
    this.#filled += taken;
    if (this.#filled < BYTES) return;
    this.newest = new Shown(this.#filling);
    this.#filling = Buffer.alloc(BYTES);
    this.#filled = 0;
    this.pictures += 1;
    this.#tell();
    this.#take(chunk.subarray(taken));
  }

  #read(text: string): void {
    this.#log = (this.#log + text).slice(-4000);
    for (const [, time] of text.matchAll(/ pts_time:([\d.]+)/g)) this.times.push(Number(time));
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
