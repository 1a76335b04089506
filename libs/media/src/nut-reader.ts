import { nutInvalid, nutTruncated } from './errors.ts';
import { NutCursor } from './nut-cursor.ts';
import { NUT_FILE_ID, NUT_FLAG, NUT_STARTCODE, nutChecksum, type NutStream } from './nut-format.ts';
import { parseMainHeader, parseStreamHeader, type NutMainHeader } from './nut-headers.ts';

/** The largest header packet accepted; FFmpeg's are below 1 KB plus the codec data. */
const MAX_HEADER_BYTES = 1 << 20;
/** A frame's own header: one byte, five numbers of at most eight bytes and a checksum. */
const MAX_FRAME_HEADER_BYTES = 1 + 5 * 8 + 4;
const DEFAULT_MAX_FRAME_BYTES = 64 << 20;

/** A frame as its header announces it. */
export interface NutFrame {
  stream: NutStream;
  /** Presentation time in ticks of `stream.timeBase`. */
  pts: number;
  key: boolean;
  sizeBytes: number;
}

export interface NutReaderHandlers {
  /** All stream headers are known; called once, before the first frame. */
  onStreams(streams: readonly NutStream[]): void;
  /** Where the frame's `sizeBytes` bytes shall go; undefined skips the frame. The reader writes into it, nothing else. */
  allocate(frame: NutFrame): Uint8Array | undefined;
  /** The bytes that `allocate` gave are complete. */
  onFrame(frame: NutFrame, data: Uint8Array): void;
}

interface StreamState {
  stream: NutStream;
  lastPts: number;
}

/**
 * Incremental reader of NUT streams as FFmpeg's muxer writes them.
 *
 * Payload goes straight from the pushed chunk into the caller's buffer; only packet headers that straddle two chunks
 * are kept (at most 1 MiB). After an error every further push throws the same error. No resynchronisation: a pipe
 * loses nothing, so damage means that the writer is not what it should be.
 */
export class NutReader {
  readonly #handlers: NutReaderHandlers;
  readonly #maxFrameBytes: number;
  readonly #cursor = new NutCursor(new Uint8Array(0));
  #carry: Uint8Array = new Uint8Array(256);
  #carryLength = 0;
  /** How many bytes the packet in `#carry` needs before parsing it makes sense again. */
  #needed = NUT_FILE_ID.length;
  #started = false;
  #main: NutMainHeader | undefined;
  readonly #streams = new Map<number, StreamState>();
  #announced = false;
  #skipBytes = 0;
  #paused = false;
  #error: Error | undefined;

  #frame: NutFrame | undefined;
  #target: Uint8Array | undefined;
  #filled = 0;

  constructor(handlers: NutReaderHandlers, maxFrameBytes = DEFAULT_MAX_FRAME_BYTES) {
    this.#handlers = handlers;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Makes the running (or next) `push` return after the current frame. */
  pause(): void {
    this.#paused = true;
  }

  /**
   * Takes bytes and returns how many were consumed: all of them, unless `pause` was called meanwhile.
   * The chunk is not kept. @throws MEDIA_NUT_INVALID, or what a handler throws
   */
  push(chunk: Uint8Array): number {
    if (this.#error !== undefined) throw this.#error;
    this.#paused = false;
    try {
      let position = 0;
      while (position < chunk.length) {
        if (this.#paused) break;
        position = this.#step(chunk, position);
      }
      return position;
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
      throw this.#error;
    }
  }

  /** Call when the stream is over. @throws MEDIA_NUT_TRUNCATED when it stopped in the middle of something */
  end(): void {
    if (this.#error !== undefined) throw this.#error;
    if (this.#carryLength > 0 || this.#frame !== undefined || this.#skipBytes > 0) throw nutTruncated();
  }

  #step(chunk: Uint8Array, position: number): number {
    if (this.#frame !== undefined) return this.#fill(chunk, position);
    if (this.#skipBytes > 0) {
      const skipped = Math.min(this.#skipBytes, chunk.length - position);
      this.#skipBytes -= skipped;
      return position + skipped;
    }
    if (this.#carryLength === 0) {
      const available = chunk.length - position;
      const used = available >= this.#needed ? this.#parse(chunk, position, chunk.length) : 0;
      if (used > 0) return position + used;
      // Frame headers ask for one byte more at a time; anything else says exactly how much it lacks.
      return this.#keep(chunk, position, available);
    }
    const lacking = Math.max(1, this.#needed - this.#carryLength);
    const taken = Math.min(lacking, chunk.length - position);
    position = this.#keep(chunk, position, taken);
    if (this.#carryLength < this.#needed) return position;
    const used = this.#parse(this.#carry, 0, this.#carryLength);
    if (used > 0) {
      if (used !== this.#carryLength) throw nutInvalid('a packet is shorter than it claims');
      this.#carryLength = 0;
    }
    return position;
  }

  #keep(chunk: Uint8Array, position: number, count: number): number {
    const total = this.#carryLength + count;
    if (total > this.#carry.length) {
      const grown = new Uint8Array(Math.max(total, Math.min(this.#needed, MAX_HEADER_BYTES)));
      grown.set(this.#carry.subarray(0, this.#carryLength));
      this.#carry = grown;
    }
    this.#carry.set(chunk.subarray(position, position + count), this.#carryLength);
    this.#carryLength = total;
    return position + count;
  }

  #fill(chunk: Uint8Array, position: number): number {
    const frame = this.#frame;
    if (frame === undefined) return position;
    const taken = Math.min(frame.sizeBytes - this.#filled, chunk.length - position);
    const target = this.#target;
    if (target !== undefined && taken > 0) {
      target.set(
        position === 0 && taken === chunk.length ? chunk : chunk.subarray(position, position + taken),
        this.#filled,
      );
    }
    this.#filled += taken;
    if (this.#filled === frame.sizeBytes) this.#finish(frame, target);
    return position + taken;
  }

  #finish(frame: NutFrame, target: Uint8Array | undefined): void {
    this.#frame = undefined;
    this.#target = undefined;
    this.#filled = 0;
    if (target !== undefined) this.#handlers.onFrame(frame, target);
  }

  /** Parses one packet at `position`; returns the bytes used, or 0 after setting `#needed`. */
  #parse(bytes: Uint8Array, position: number, end: number): number {
    if (!this.#started) return this.#parseFileId(bytes, position);
    return bytes[position] === 0x4e ? this.#parseControl(bytes, position, end) : this.#parseFrame(bytes, position, end);
  }

  #parseFileId(bytes: Uint8Array, position: number): number {
    for (let i = 0; i < NUT_FILE_ID.length; i++) {
      if (bytes[position + i] !== NUT_FILE_ID[i]) throw nutInvalid('this is not a NUT stream');
    }
    this.#started = true;
    this.#needed = 1;
    return NUT_FILE_ID.length;
  }

  #parseControl(bytes: Uint8Array, position: number, end: number): number {
    const cursor = this.#cursor;
    cursor.reset(bytes, position, end);
    const high = cursor.u32();
    const low = cursor.u32();
    const size = cursor.v();
    const hasHeaderChecksum = size > 4096;
    if (hasHeaderChecksum) {
      const checksumAt = cursor.position;
      const stated = cursor.u32();
      if (!cursor.short && nutChecksum(bytes, position, checksumAt) !== stated) {
        throw nutInvalid('a packet header has a wrong checksum');
      }
    }
    if (cursor.short) return this.#wait(end - position + 1);
    const body = cursor.position;
    const known =
      (high === NUT_STARTCODE.main.high && low === NUT_STARTCODE.main.low) ||
      (high === NUT_STARTCODE.stream.high && low === NUT_STARTCODE.stream.low) ||
      (high === NUT_STARTCODE.syncpoint.high && low === NUT_STARTCODE.syncpoint.low);
    if (!known) {
      // Info and index packets, and those of later versions, are skipped without being kept.
      this.#skipBytes = size;
      this.#needed = 1;
      return body - position;
    }
    if (size < 4 || size > MAX_HEADER_BYTES) throw nutInvalid(`a header packet of ${size} bytes`);
    if (body + size > end) return this.#wait(body - position + size);
    const bodyEnd = body + size - 4;
    cursor.reset(bytes, bodyEnd, bodyEnd + 4);
    if (cursor.u32() !== nutChecksum(bytes, body, bodyEnd)) throw nutInvalid('a packet has a wrong checksum');
    cursor.reset(bytes, body, bodyEnd);
    if (high === NUT_STARTCODE.main.high) this.#main ??= parseMainHeader(cursor);
    else if (high === NUT_STARTCODE.stream.high) this.#addStream(cursor);
    else this.#synchronise(cursor);
    this.#needed = 1;
    return body + size - position;
  }

  #wait(needed: number): 0 {
    this.#needed = needed;
    return 0;
  }

  #addStream(cursor: NutCursor): void {
    if (this.#main === undefined) throw nutInvalid('a stream header came before the main header');
    const stream = parseStreamHeader(cursor, this.#main);
    // FFmpeg repeats all headers now and then; only the first of each counts.
    if (!this.#streams.has(stream.id)) this.#streams.set(stream.id, { stream, lastPts: 0 });
    if (this.#announced || this.#streams.size < this.#main.streamCount) return;
    this.#announced = true;
    this.#handlers.onStreams([...this.#streams.values()].map((state) => state.stream));
  }

  #synchronise(cursor: NutCursor): void {
    const main = this.#main;
    if (main === undefined) throw nutInvalid('a syncpoint came before the main header');
    const coded = cursor.v();
    cursor.v();
    if (cursor.short) throw nutInvalid('a syncpoint is too short');
    const base = main.timeBases[coded % main.timeBases.length];
    const value = Math.floor(coded / main.timeBases.length);
    if (base === undefined) throw nutInvalid('a syncpoint names an unknown time base');
    for (const state of this.#streams.values()) {
      const own = state.stream.timeBase;
      if (own.num === base.num && own.den === base.den) state.lastPts = value;
      else {
        state.lastPts = Number(
          (BigInt(value) * BigInt(base.num) * BigInt(own.den)) / (BigInt(base.den) * BigInt(own.num)),
        );
      }
    }
  }

  #parseFrame(bytes: Uint8Array, position: number, end: number): number {
    const main = this.#main;
    if (main === undefined || !this.#announced) throw nutInvalid('a frame came before the headers');
    const cursor = this.#cursor;
    cursor.reset(bytes, position, Math.min(end, position + MAX_FRAME_HEADER_BYTES));
    const code = main.frameCodes[cursor.u8()];
    if (code === undefined) throw nutInvalid('the frame code table has a hole');
    let flags = code.flags;
    if (flags & NUT_FLAG.invalid) throw nutInvalid('an invalid frame code');
    if (flags & NUT_FLAG.coded) flags ^= cursor.v() & 0xffff;
    const streamId = flags & NUT_FLAG.streamId ? cursor.v() : code.streamId;
    const codedPts = flags & NUT_FLAG.codedPts ? cursor.v() : undefined;
    let sizeBytes = code.sizeLsb;
    if (flags & NUT_FLAG.sizeMsb) sizeBytes += code.sizeMul * cursor.v();
    if (flags & NUT_FLAG.matchTime) cursor.s();
    const headerIndex = flags & NUT_FLAG.headerIndex ? cursor.v() : code.headerIndex;
    const reserved = flags & NUT_FLAG.reserved ? cursor.v() : code.reservedCount;
    if (reserved > 16) throw nutInvalid('too many reserved fields');
    for (let i = 0; i < reserved; i++) cursor.v();
    const checksumAt = cursor.position;
    const stated = flags & NUT_FLAG.checksum ? cursor.u32() : undefined;
    if (cursor.short) {
      if (end - position >= MAX_FRAME_HEADER_BYTES) throw nutInvalid('a frame header has no end');
      return this.#wait(end - position + 1);
    }
    if (stated !== undefined && nutChecksum(bytes, position, checksumAt) !== stated) {
      throw nutInvalid('a frame header has a wrong checksum');
    }
    if (flags & NUT_FLAG.sideData) throw nutInvalid('side data inside frames is not supported');
    const state = this.#streams.get(streamId);
    if (state === undefined) throw nutInvalid(`a frame of unknown stream ${streamId}`);
    if (sizeBytes > this.#maxFrameBytes) throw nutInvalid(`a frame of ${sizeBytes} bytes is above the limit`);
    this.#needed = 1;
    this.#begin(state, this.#ptsOf(state, codedPts, code.ptsDelta), flags, sizeBytes, headerIndex, main);
    return cursor.position - position;
  }

  #ptsOf(state: StreamState, codedPts: number | undefined, delta: number): number {
    if (codedPts === undefined) return state.lastPts + delta;
    const range = 2 ** state.stream.msbPtsShift;
    if (codedPts >= range) return codedPts - range;
    const lowest = state.lastPts - Math.floor((range - 1) / 2);
    return ((((codedPts - lowest) % range) + range) % range) + lowest;
  }

  #begin(
    state: StreamState,
    pts: number,
    flags: number,
    sizeBytes: number,
    headerIndex: number,
    main: NutMainHeader,
  ): void {
    state.lastPts = pts;
    // Elision (leaving out a frame's usual first bytes) is only for frames of up to 4096 bytes.
    const elided = sizeBytes > 4096 ? undefined : main.elisionHeaders[headerIndex];
    const elidedBytes = elided?.length ?? 0;
    if (sizeBytes < elidedBytes) throw nutInvalid('a frame is smaller than its elided header');
    const frame: NutFrame = { stream: state.stream, pts, key: (flags & NUT_FLAG.key) !== 0, sizeBytes };
    const target = this.#handlers.allocate(frame);
    if (target !== undefined && target.length !== sizeBytes) {
      throw nutInvalid(`the buffer has ${target.length} bytes, the frame ${sizeBytes}`);
    }
    if (target !== undefined && elided !== undefined) target.set(elided);
    this.#frame = frame;
    this.#target = target;
    this.#filled = elidedBytes;
    if (this.#filled === sizeBytes) this.#finish(frame, target);
  }
}
