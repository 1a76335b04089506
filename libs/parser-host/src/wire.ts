/**
 * What passes between host and parser process on one socket: frames of two lengths (32-bit, little-endian), a JSON
 * header and binary rows. Tensors never pass here, see tensor-file.ts.
 */

/** One request: where the tensors lie in the shared file. */
export interface RequestHeader {
  readonly id: number;
  /** Bytes of the shared file that are in use. */
  readonly bytes: number;
  /** `type` null: this output cannot be given to a parser. */
  readonly tensors: readonly {
    readonly name: string;
    readonly type: WireType | null;
    readonly dims: readonly number[];
    readonly offset: number;
  }[];
}

export type WireType = 'float32' | 'int8' | 'int32';

/** Numbers of a binary row, 64-bit floats: class id, confidence, left, top, width, height. */
export const ROW_NUMBERS = 6;

/** The most objects of one picture; a parser's further ones are left out and reported. */
export const MAX_OBJECTS = 16_384;

/** The most lines, circles, rectangles and texts of one picture. */
export const MAX_SHAPES = 4096;

export const MAX_MESSAGE_CHARACTERS = 256 * 1024;

/** A parser process sends an error instead of a larger answer. */
export const MAX_HEADER_BYTES = 4 * 1024 * 1024;

const MAX_ROW_BYTES = MAX_OBJECTS * ROW_NUMBERS * 8;
const LENGTHS = 8;

export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly rows: Float64Array;
}

/** What an answer says is wrong with it, beside what is right. */
export function problemsOf({ header }: Frame): readonly string[] {
  return Array.isArray(header['problems']) ? (header['problems'] as string[]) : [];
}

export function encodeFrame(header: object): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.alloc(LENGTHS);
  lengths.writeUInt32LE(json.length, 0);
  return Buffer.concat([lengths, json]);
}

/** Puts frames together from what arrives. `push` throws when the bytes are no frame: the sender is beyond help then. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #headerEnd = 0;
  #end = 0;

  push(chunk: Buffer): Frame | undefined {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#end === 0) this.#readLengths();
    if (this.#end === 0 || this.#length < this.#end) return undefined;
    if (this.#length > this.#end) throw new Error('more bytes than one answer has');
    const bytes = this.#join();
    const header: unknown = JSON.parse(bytes.toString('utf8', LENGTHS, this.#headerEnd));
    if (typeof header !== 'object' || header === null || Array.isArray(header)) throw new Error('no JSON object');
    const rows = new Float64Array((this.#end - this.#headerEnd) / 8);
    new Uint8Array(rows.buffer).set(bytes.subarray(this.#headerEnd));
    this.#chunks = [];
    this.#length = this.#headerEnd = this.#end = 0;
    return { header: header as Record<string, unknown>, rows };
  }

  #readLengths(): void {
    if (this.#length < LENGTHS) return;
    const start = this.#join();
    const headerBytes = start.readUInt32LE(0);
    const rowBytes = start.readUInt32LE(4);
    if (headerBytes > MAX_HEADER_BYTES || rowBytes > MAX_ROW_BYTES || rowBytes % (8 * ROW_NUMBERS) !== 0) {
      throw new Error(`a frame of ${headerBytes} + ${rowBytes} bytes`);
    }
    this.#headerEnd = LENGTHS + headerBytes;
    this.#end = this.#headerEnd + rowBytes;
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [joined];
    return joined;
  }
}
