import { open, type FileHandle } from 'node:fs/promises';
import { findBox } from './boxes.ts';
import { finishHybrid, type StoredChunk, type StoredFrame } from './hybrid-file.ts';
import { KEY_SAMPLE, type Track } from './movie.ts';

/** The boxes that are read whole are small: no more than this is believed. */
const MAX_INDEX_BYTES = 16 << 20;

export interface RepairedClip {
  /** Times of its frames from the first one on, microseconds, ascending. */
  readonly timesUs: readonly number[];
}

/**
 * Closes a file that `HybridFile` was writing when its process was killed: cut behind the last whole fragment, with the
 * index of an ordinary file. A file that is whole already stays as it is.
 *
 * @returns undefined when there is no whole fragment in it, or when something else wrote it
 */
export async function repairHybrid(path: string): Promise<RepairedClip | undefined> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const found = await scan(file, size);
    if (!found.track || found.chunks.length === 0) return undefined;
    if (!found.whole) {
      await file.truncate(found.chunks.at(-1)?.end ?? 0);
      await finishHybrid(file, found.track, found.chunks);
    }
    const times = found.chunks.flatMap(({ frames }) => frames.map(({ ptsUs }) => ptsUs));
    return { timesUs: times.sort((a, b) => a - b) };
  } finally {
    await file.close();
  }
}

interface Scan {
  readonly track: Track | undefined;
  readonly chunks: StoredChunk[];
  /** The box in front has been turned into the file's `mdat`, and the index behind is there. */
  readonly whole: boolean;
}

async function scan(file: FileHandle, size: number): Promise<Scan> {
  const chunks: StoredChunk[] = [];
  let track: Track | undefined;
  let isClosed = false;
  let indices = 0;
  let fragment: { frames: StoredFrame[]; bytes: number } | undefined;
  for (let at = 0; at + 8 <= size;) {
    const head = await read(file, at, 8);
    const type = head.toString('latin1', 4, 8);
    // The box in front: while it is `free` its size is its own, afterwards everything is inside.
    if (type === 'mdat' && head.readUInt32BE(0) === 1) {
      isClosed = true;
      at += 16;
      continue;
    }
    const end = at + head.readUInt32BE(0);
    if (end > size || end < at + 8) break;
    if ((type === 'moov' || type === 'moof') && end - at <= MAX_INDEX_BYTES) {
      const bytes = await read(file, at, end - at);
      if (type === 'moov') indices += 1;
      if (type === 'moov') track ??= trackOf(bytes);
      else fragment = fragmentOf(bytes);
    } else if (type === 'mdat') {
      if (!fragment || fragment.bytes !== end - at - 8) break;
      chunks.push({ offset: at + 8, frames: fragment.frames, end });
      fragment = undefined;
    }
    at = end;
  }
  return { track, chunks, whole: isClosed && indices === 2 };
}

async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, at);
  return bytes;
}

function trackOf(movie: Buffer): Track | undefined {
  const description = findBox(movie, ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd']);
  const header = findBox(movie, ['moov', 'trak', 'tkhd']);
  if (!description || !header) return undefined;
  const [width, height] = [movie.readUInt32BE(header.end - 8) >>> 16, movie.readUInt32BE(header.end - 4) >>> 16];
  return { sampleEntry: movie.subarray(description.body + 8, description.end), width, height };
}

/** Of a `moof` that `fragmentHead` wrote. */
function fragmentOf(bytes: Buffer): { frames: StoredFrame[]; bytes: number } | undefined {
  const time = findBox(bytes, ['moof', 'traf', 'tfdt']);
  const run = findBox(bytes, ['moof', 'traf', 'trun']);
  if (!time || !run || run.body + 12 > run.end) return undefined;
  let decodeUs = Number(bytes.readBigUInt64BE(time.body + 4));
  const count = bytes.readUInt32BE(run.body + 4);
  if (run.body + 12 + 16 * count !== run.end) return undefined;
  const frames = Array.from({ length: count }, (_, index): StoredFrame => {
    const at = run.body + 12 + 16 * index;
    const ptsUs = decodeUs + bytes.readInt32BE(at + 12);
    decodeUs += bytes.readUInt32BE(at);
    return { ptsUs, sizeBytes: bytes.readUInt32BE(at + 4), key: bytes.readUInt32BE(at + 8) === KEY_SAMPLE };
  });
  return { frames, bytes: frames.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}
