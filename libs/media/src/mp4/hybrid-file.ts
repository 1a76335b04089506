import { open, type FileHandle } from 'node:fs/promises';
import type { EncodedPacket } from '../video-source-types.ts';
import { ascii, box, u32, u64 } from './boxes.ts';
import type { Fragment, FragmentMuxer } from './fragment-muxer.ts';
import { fileType, fragmentedMovie, wholeMovie, type SampleTable, type Track } from './movie.ts';

/** What may wait for a slow disk; above it the file ends rather than the memory. */
const MAX_QUEUED_BYTES = 64 << 20;
const FRAGMENT_US = 1_000_000;
/** Of the box behind `ftyp` that is `free` while the file is written and becomes the one `mdat` in the end. */
const PLACEHOLDER_BYTES = 16;
const DEFAULT_FRAME_US = 40_000;

/** A frame in the file. */
export interface StoredFrame {
  readonly ptsUs: number;
  readonly sizeBytes: number;
  readonly key: boolean;
}

/** Frames that lie one behind the other, in the order of decoding. */
export interface StoredChunk {
  /** Of the first frame's data in the file. */
  readonly offset: number;
  readonly frames: readonly StoredFrame[];
  /** Of the fragment in the file, behind its last byte. */
  readonly end: number;
}

/**
 * An MP4 file that can be played up to its last fragment at any moment of being written, and is an ordinary one in the
 * end without being written again ("hybrid MP4"): it grows as fragments of a group or a second; at last one whole index
 * is put behind them, and the box in front of them is turned into an `mdat` that has them all inside.
 */
export class HybridFile {
  readonly #path: string;
  readonly #muxer: FragmentMuxer;
  readonly #chunks: StoredChunk[] = [];
  readonly #start: Uint8Array;
  #pending: EncodedPacket[] = [];
  #file: FileHandle | undefined;
  #writing: Promise<void>;
  #queuedBytes = 0;
  #end: number;
  #failure: NodeJS.ErrnoException | undefined;

  /** Begins to write. @param path hidden name; what is there is replaced */
  constructor(path: string, muxer: FragmentMuxer) {
    this.#path = path;
    this.#muxer = muxer;
    const movie = fragmentedMovie(muxer.track);
    this.#start = Buffer.concat([fileType(), box('free', new Uint8Array(PLACEHOLDER_BYTES - 8)), movie]);
    this.#end = this.#start.length;
    this.#writing = this.#open();
  }

  /** Why nothing more is written; what was before stays playable. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#failure;
  }

  push(packet: EncodedPacket): void {
    const [first] = this.#pending;
    if (first && (packet.key || packet.ptsUs - first.ptsUs >= FRAGMENT_US)) this.#flush(packet.ptsUs);
    this.#pending.push(packet);
  }

  /** The frames that are in the file. Ends the writing. @throws what the disk said, and the file stays to be repaired */
  async close(): Promise<StoredFrame[]> {
    this.#flush();
    await this.#writing;
    const file = this.#file;
    if (!file) throw this.#failure ?? new Error(`${this.#path} could not be made`);
    try {
      if (this.#chunks.length === 0) throw this.#failure ?? new Error('it holds no frame');
      // What was written of the last fragment before the disk was full is cut off.
      await file.truncate(this.#end);
      await finishHybrid(file, this.#muxer.track, this.#chunks);
      return this.#chunks.flatMap(({ frames }) => frames);
    } finally {
      await file.close();
    }
  }

  /** Ends the writing; the file stays as it is. */
  async abandon(): Promise<void> {
    this.#pending = [];
    await this.#writing;
    await this.#file?.close();
  }

  #flush(untilPtsUs?: number): void {
    const packets = this.#pending;
    this.#pending = [];
    if (this.#failure || packets.length === 0) return;
    if (this.#queuedBytes > MAX_QUEUED_BYTES) {
      this.#failure = new Error('the disk is too slow for the stream');
      return;
    }
    const fragment = this.#muxer.pieces(packets, untilPtsUs);
    if (!fragment) return;
    const frames = fragment.packets.map(({ ptsUs, key }, at) => {
      return { ptsUs, key, sizeBytes: fragment.samples[at]?.sizeBytes ?? 0 };
    });
    const bytes = fragment.pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#queuedBytes += bytes;
    this.#writing = this.#writing.then(async () => {
      await this.#write(fragment, frames, bytes);
      this.#queuedBytes -= bytes;
    });
  }

  async #open(): Promise<void> {
    try {
      this.#file = await open(this.#path, 'w+');
      await this.#file.write(this.#start, 0, this.#start.length, 0);
    } catch (error) {
      this.#failure = error as NodeJS.ErrnoException;
    }
  }

  async #write({ pieces, headBytes }: Fragment, frames: readonly StoredFrame[], bytes: number): Promise<void> {
    if (this.#failure || !this.#file) return;
    try {
      // Copying is cheaper than telling the system about every piece.
      await writeWhole(this.#file, Buffer.concat(pieces, bytes), this.#end);
      const offset = this.#end + headBytes;
      this.#end += bytes;
      this.#chunks.push({ offset, frames, end: this.#end });
    } catch (error) {
      this.#failure = error as NodeJS.ErrnoException;
    }
  }
}

/** A disk that is nearly full takes a part without an error. */
async function writeWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let from = 0; from < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, from, bytes.length - from, at + from);
    if (bytesWritten === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    from += bytesWritten;
  }
}

/**
 * Makes an ordinary file of fragments: index behind them, then the box in front. Where there is no room for the index,
 * the last fragments make it.
 */
export async function finishHybrid(file: FileHandle, track: Track, chunks: StoredChunk[]): Promise<void> {
  for (;;) {
    const end = chunks.at(-1)?.end ?? 0;
    const movie = wholeMovie(track, ...tableOf(chunks));
    try {
      await writeWhole(file, movie, end);
      const head = Buffer.concat([u32(1), ascii('mdat'), u64(end - fileType().length)]);
      await file.write(head, 0, head.length, fileType().length);
      await file.sync();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC' || chunks.length < 2) throw error;
      chunks.pop();
      await file.truncate(chunks.at(-1)?.end ?? 0);
    }
  }
}

/** With the whole file known, frame n is decoded when the nth one is shown; so some are decoded later than shown. */
function tableOf(chunks: readonly StoredChunk[]): [table: SampleTable, durationUs: number] {
  const frames = chunks.flatMap((chunk) => chunk.frames);
  const shown = frames.map(({ ptsUs }) => ptsUs).sort((a, b) => a - b);
  const [first = 0, last = 0] = [shown[0], shown.at(-1)];
  const usualUs = frames.length > 1 ? Math.max(1, Math.round((last - first) / (frames.length - 1))) : DEFAULT_FRAME_US;
  const table: SampleTable = {
    sizes: frames.map(({ sizeBytes }) => sizeBytes),
    durationsUs: shown.map((ptsUs, at) => (shown[at + 1] ?? ptsUs + usualUs) - ptsUs),
    offsetsUs: frames.map(({ ptsUs }, at) => ptsUs - (shown[at] ?? 0)),
    keys: frames.flatMap(({ key }, at) => (key ? [at] : [])),
    chunks: chunks.map(({ offset, frames: { length } }) => ({ offset, samples: length })),
  };
  return [table, last + usualUs - first];
}
