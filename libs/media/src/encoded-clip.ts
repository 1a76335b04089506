import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { messageOf } from '@vantage/contracts';
import { clipFailed } from './errors.ts';
import { FfmpegLog } from './ffmpeg-log.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import type { EncodedPacket } from './video-source-types.ts';

/** What may wait for a slow disk; above it the clip fails rather than the memory. */
const MAX_QUEUED_BYTES = 64 << 20;
const CLOSE_TIMEOUT_MS = 30_000;
const ENCODER = ['-c:v', 'libx264', '-preset', 'veryfast', '-threads', '1', '-pix_fmt', 'yuv420p'];
const OWN_TIMES = ['-vsync', 'passthrough', '-enc_time_base', '-1'];

/** A file in H.264 that ffmpeg makes of packets of any codec. It is whole after `close`, or of no use. */
export class EncodedClip {
  readonly #path: string;
  readonly #child: ChildProcess;
  readonly #log = new FfmpegLog('');
  readonly #exited: Promise<number | null>;
  #failure: string | undefined;

  constructor(path: string, header: Uint8Array, ffmpeg: Ffmpeg) {
    this.#path = path;
    this.#child = spawn(
      ffmpeg.path,
      [
        ...['-hide_banner', '-nostats', '-loglevel', 'level+warning', '-f', 'nut', '-i', 'pipe:0', '-map', '0:v:0'],
        ...[...ENCODER, ...OWN_TIMES, '-movflags', '+faststart', '-f', 'mp4', '-y', `file:${path}`],
      ],
      { stdio: ['pipe', 'ignore', 'pipe'] },
    );
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#log.push(text));
    this.#child.stdin?.on('error', (error) => (this.#failure ??= messageOf(error)));
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => {
        this.#failure ??= messageOf(error);
        resolve(null);
      });
      this.#child.on('close', resolve);
    });
    this.#child.stdin?.write(header);
  }

  get failure(): Error | undefined {
    return this.#failure === undefined ? undefined : clipFailed(this.#log.reason() ?? this.#failure);
  }

  push({ bytes }: EncodedPacket): void {
    const input = this.#child.stdin;
    if (this.#failure !== undefined || !input) return;
    if (input.writableLength > MAX_QUEUED_BYTES) this.#failure = 'the disk is too slow for the stream';
    else input.write(bytes);
  }

  /** @throws MEDIA_CLIP_FAILED, and nothing is left */
  async close(): Promise<void> {
    if (this.#failure !== undefined) this.#child.kill('SIGKILL');
    this.#child.stdin?.end();
    const timer = setTimeout(() => {
      this.#failure ??= `ffmpeg did not finish within ${CLOSE_TIMEOUT_MS} ms`;
      this.#child.kill('SIGKILL');
    }, CLOSE_TIMEOUT_MS);
    const code = await this.#exited;
    clearTimeout(timer);
    if (code === 0 && this.#failure === undefined) return;
    await rm(this.#path, { force: true });
    throw clipFailed(this.#log.reason() ?? this.#failure ?? `ffmpeg ended with status ${code}`);
  }

  /** Gives it up; nothing is left. */
  async abandon(): Promise<void> {
    this.#failure ??= 'given up';
    await this.close().catch(() => undefined);
  }
}
