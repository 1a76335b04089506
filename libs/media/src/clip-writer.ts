import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { messageOf } from '@vantage/contracts';
import { clipEmpty, clipFailed } from './errors.ts';
import { FfmpegLog } from './ffmpeg-log.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { NutReader } from './nut-reader.ts';
import type { PacketRing } from './packet-ring.ts';
import { publishFile, temporaryNameFor } from './temporary-file.ts';
import type { EncodedPacket } from './video-source-types.ts';

const H264 = new Set(['h264', 'avc1', 'x264', 'davc']);
/** What may wait for a slow disk; above it the clip fails rather than the memory. */
const MAX_QUEUED_BYTES = 64 << 20;
const CLOSE_TIMEOUT_MS = 30_000;

export interface ClipOptions {
  readonly ring: PacketRing;
  readonly ffmpeg: Ffmpeg;
  /** The final name; it appears complete or not at all. Its folder must exist. */
  readonly path: string;
  /** The clip starts at the last keyframe at or before this time, as far as the ring reaches back. */
  readonly fromPtsUs: number;
}

export interface Clip {
  readonly path: string;
  /** The source's time of the clip's first frame, which is at time 0 in the file. */
  readonly firstPtsUs: number;
  readonly lastPtsUs: number;
  readonly frames: number;
  /** The source's times of all frames in the file, ascending. The last ones may have gaps where B-frames were cut off. */
  readonly timesUs: readonly number[];
}

/**
 * One mp4 file from encoded packets: copied as they are when they are H.264, encoded to it otherwise.
 *
 * Written under a hidden temporary name and renamed when complete. `close` or `abort` must be called.
 */
export class ClipWriter {
  readonly #path: string;
  readonly #temporary: string;
  readonly #child: ChildProcess;
  readonly #log = new FfmpegLog('');
  readonly #exited: Promise<number | null>;
  #failure: string | undefined;
  #closed: Promise<Clip> | undefined;
  #firstPtsUs = 0;
  #lastPtsUs = 0;
  readonly #timesUs: number[] = [];

  /** @throws MEDIA_CLIP_EMPTY when the ring holds no keyframe yet */
  static open(options: ClipOptions): ClipWriter {
    const { ring } = options;
    const packets = ring.since(options.fromPtsUs);
    if (ring.header === undefined || packets.length === 0) throw clipEmpty();
    const writer = new ClipWriter(options, ring.header);
    for (const packet of packets) writer.push(packet);
    return writer;
  }

  private constructor(options: ClipOptions, header: Uint8Array) {
    this.#path = options.path;
    this.#temporary = temporaryNameFor(options.path);
    const codec = H264.has(fourccOf(header))
      ? ['-c', 'copy']
      : [
          '-c:v',
          'libx264',
          '-preset',
          'veryfast',
          '-threads',
          '1',
          '-pix_fmt',
          'yuv420p',
          '-vsync',
          'passthrough',
        ].concat(['-enc_time_base', '-1']);
    this.#child = spawn(
      options.ffmpeg.path,
      [
        ...['-hide_banner', '-nostats', '-loglevel', 'level+warning', '-f', 'nut', '-i', 'pipe:0', '-map', '0:v:0'],
        ...[...codec, '-movflags', '+faststart', '-f', 'mp4', '-y', `file:${this.#temporary}`],
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

  /** Time of the first frame; known from the start. */
  get firstPtsUs(): number {
    return this.#firstPtsUs;
  }

  get lastPtsUs(): number {
    return this.#lastPtsUs;
  }

  /** Adds a packet that came after those in the ring. Problems show at `close`. */
  push(packet: EncodedPacket): void {
    const input = this.#child.stdin;
    if (this.#closed !== undefined || this.#failure !== undefined || !input) return;
    if (this.#timesUs.length === 0) {
      this.#firstPtsUs = packet.ptsUs;
      this.#lastPtsUs = packet.ptsUs;
    }
    // Shown before the first keyframe, so built on frames that the clip does not have.
    if (packet.ptsUs < this.#firstPtsUs) return;
    if (input.writableLength > MAX_QUEUED_BYTES) {
      this.#failure = 'the disk is too slow for the stream';
      return;
    }
    this.#timesUs.push(packet.ptsUs);
    this.#lastPtsUs = Math.max(this.#lastPtsUs, packet.ptsUs);
    input.write(packet.bytes);
  }

  /** Completes the file and gives it its name. Calling it again returns the same result. @throws MEDIA_CLIP_FAILED */
  close(): Promise<Clip> {
    this.#closed ??= this.#complete();
    return this.#closed;
  }

  /** Gives the clip up; nothing is left. */
  async abort(): Promise<void> {
    this.#failure ??= 'given up';
    await this.close().catch(() => undefined);
  }

  async #complete(): Promise<Clip> {
    if (this.#failure !== undefined) this.#child.kill('SIGKILL');
    this.#child.stdin?.end();
    const timer = setTimeout(() => {
      this.#failure ??= `ffmpeg did not finish within ${CLOSE_TIMEOUT_MS} ms`;
      this.#child.kill('SIGKILL');
    }, CLOSE_TIMEOUT_MS);
    const code = await this.#exited;
    clearTimeout(timer);
    try {
      if (code !== 0 || this.#failure !== undefined) {
        throw clipFailed(this.#log.reason() ?? this.#failure ?? `ffmpeg ended with status ${code}`);
      }
      await publishFile(this.#temporary, this.#path);
    } catch (error) {
      await rm(this.#temporary, { force: true });
      throw error;
    }
    const timesUs = this.#timesUs.sort((a, b) => a - b);
    const span = { firstPtsUs: this.#firstPtsUs, lastPtsUs: this.#lastPtsUs };
    return { path: this.#path, ...span, frames: timesUs.length, timesUs };
  }
}

function fourccOf(header: Uint8Array): string {
  let fourcc = '';
  const reader = new NutReader({
    onStreams: ([stream]) =>
      (fourcc = Buffer.from(stream?.fourcc ?? [])
        .toString('latin1')
        .toLowerCase()),
    allocate: () => undefined,
    onFrame: () => undefined,
  });
  reader.push(header);
  return fourcc;
}
