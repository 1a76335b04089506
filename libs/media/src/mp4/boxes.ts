/**
 * The boxes of an MP4 file (ISO/IEC 14496-12). Numbers are big-endian; a box is its size, its type and what is in it.
 */

/** A box that holds `parts` one behind the other. */
export function box(type: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 8);
  const bytes = Buffer.alloc(size);
  bytes.writeUInt32BE(size, 0);
  bytes.write(type, 4, 'latin1');
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A box with version and flags. */
export function fullBox(type: string, version: number, flags: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return box(type, u32((version << 24) | flags), ...parts);
}

export function u16(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, at) => bytes.writeUInt16BE(value & 0xffff, 2 * at));
  return bytes;
}

/** Negative numbers as two's complement. */
export function u32(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => bytes.writeUInt32BE(value >>> 0, 4 * at));
  return bytes;
}

/** Whole numbers of at most 53 bits. */
export function u64(...values: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, at) => bytes.writeBigUInt64BE(BigInt(value), 8 * at));
  return bytes;
}

export function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Where a box lies in the bytes that hold it. */
export interface BoxPlace {
  readonly type: string;
  /** Of its size field. */
  readonly start: number;
  /** Of what is in it. */
  readonly body: number;
  readonly end: number;
}

/** The boxes in `bytes` from `from` to `to`, as far as they are whole. */
export function* boxesIn(bytes: Buffer, from = 0, to = bytes.length): Generator<BoxPlace> {
  let start = from;
  while (start + 8 <= to) {
    const small = bytes.readUInt32BE(start);
    const large = small === 1 && start + 16 <= to;
    const size = large ? Number(bytes.readBigUInt64BE(start + 8)) : small;
    const body = start + (large ? 16 : 8);
    const end = start + size;
    if (end > to || end < body) return;
    yield { type: bytes.toString('latin1', start + 4, start + 8), start, body, end };
    start = end;
  }
}

/** The first box at the end of a path of types. */
export function findBox(bytes: Buffer, path: readonly string[], from = 0, to = bytes.length): BoxPlace | undefined {
  const [type, ...rest] = path;
  for (const place of boxesIn(bytes, from, to)) {
    if (place.type !== type) continue;
    return rest.length === 0 ? place : findBox(bytes, rest, place.body, place.end);
  }
  return undefined;
}
