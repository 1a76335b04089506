import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { messageOf } from '@vantage/contracts';
import { EncodedClip } from './encoded-clip.ts';
import { clipEmpty, clipFailed } from './errors.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { FragmentMuxer } from './mp4/fragment-muxer.ts';
import { HybridFile } from './mp4/hybrid-file.ts';
import type { PacketRing } from './packet-ring.ts';
import { publishFile, temporaryNameFor } from './temporary-file.ts';
import type { EncodedPacket } from './video-source-types.ts';

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

/** Where a clip is while it is written as a file that can be played and repaired at any moment. */
export function openClipName(file: string): string {
  return path.join(path.dirname(file), `.${path.basename(file)}.part`);
}

/**
 * One mp4 file from encoded packets: copied as they are when they are H.264 or H.265, encoded to H.264 otherwise.
 *
 * Written under a hidden name and renamed when complete; a copied one that is open when the process is killed can be
 * played up to its last second, and `repairHybrid` makes it whole. `close` or `abort` must be called.
 */
export class ClipWriter {
  readonly path: string;
  readonly #temporary: string;
  readonly #muxer: FragmentMuxer | undefined;
  readonly #file: HybridFile | EncodedClip;
  readonly #firstPtsUs: number;
  #lastPtsUs: number;
  #timesUs: number[] = [];
  #completed: Promise<number[]> | undefined;
  #closed: Promise<Clip> | undefined;

  /** @throws MEDIA_CLIP_EMPTY when the ring holds no keyframe yet */
  static open(options: ClipOptions): ClipWriter {
    const { ring } = options;
    const packets = ring.since(options.fromPtsUs);
    const [first] = packets;
    if (ring.header === undefined || first === undefined) throw clipEmpty();
    const writer = new ClipWriter(options, ring.header, first);
    for (const packet of packets) writer.push(packet);
    return writer;
  }

  private constructor({ path: file, ffmpeg }: ClipOptions, header: Uint8Array, first: EncodedPacket) {
    this.path = file;
    this.#muxer = FragmentMuxer.create(header, first, first.ptsUs);
    this.#temporary = this.#muxer ? openClipName(file) : temporaryNameFor(file);
    this.#file = this.#muxer
      ? new HybridFile(this.#temporary, this.#muxer)
      : new EncodedClip(this.#temporary, header, ffmpeg);
    this.#firstPtsUs = first.ptsUs;
    this.#lastPtsUs = first.ptsUs;
  }

  /** Time of the first frame; known from the start. */
  get firstPtsUs(): number {
    return this.#firstPtsUs;
  }

  get lastPtsUs(): number {
    return this.#lastPtsUs;
  }

  /** Why it takes nothing more; `code` is the system's, as ENOSPC. What was written before is kept by `close`. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#file.failure;
  }

  /** False for a key frame of another size or profile: it needs another clip. */
  fits(packet: EncodedPacket): boolean {
    return this.#muxer?.fits(packet) ?? true;
  }

  /** Adds a packet that came after those in the ring. Problems show in `failure` and at `close`. */
  push(packet: EncodedPacket): void {
    if (this.#completed !== undefined) return;
    // Shown before the first keyframe, so built on frames that the clip does not have.
    if (packet.ptsUs < this.#firstPtsUs) return;
    this.#timesUs.push(packet.ptsUs);
    this.#lastPtsUs = Math.max(this.#lastPtsUs, packet.ptsUs);
    this.#file.push(packet);
  }

  /** Completes the file, which keeps its hidden name. @returns the times of its frames, ascending @throws MEDIA_CLIP_FAILED */
  complete(): Promise<number[]> {
    this.#completed ??= this.#complete();
    return this.#completed;
  }

  /** Completes the file and gives it its name. Calling it again returns the same result. @throws MEDIA_CLIP_FAILED */
  close(): Promise<Clip> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Gives the clip up; nothing is left. */
  async abort(): Promise<void> {
    this.#completed ??= Promise.reject(clipFailed('given up'));
    this.#completed.catch(() => undefined);
    await this.#file.abandon();
    await rm(this.#temporary, { force: true });
  }

  async #complete(): Promise<number[]> {
    if (this.#file instanceof EncodedClip) await this.#file.close();
    else {
      const frames = await this.#file.close().catch((error: unknown) => {
        throw clipFailed(messageOf(error), error);
      });
      this.#timesUs = frames.map(({ ptsUs }) => ptsUs);
    }
    this.#timesUs.sort((a, b) => a - b);
    this.#lastPtsUs = this.#timesUs.at(-1) ?? this.#lastPtsUs;
    return this.#timesUs;
  }

  async #close(): Promise<Clip> {
    const timesUs = await this.complete();
    try {
      // A hybrid file is safe on the disk when it is complete.
      if (this.#muxer) await rename(this.#temporary, this.path);
      else await publishFile(this.#temporary, this.path);
    } catch (error) {
      throw clipFailed(messageOf(error), error);
    }
    const span = { firstPtsUs: this.#firstPtsUs, lastPtsUs: this.#lastPtsUs };
    return { path: this.path, ...span, frames: timesUs.length, timesUs };
  }
}
