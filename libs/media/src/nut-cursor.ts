import { nutInvalid } from './errors.ts';

/**
 * Reads NUT's numbers from bytes that may end anywhere.
 *
 * Running out of bytes is not an error: `short` becomes true, reads return 0, and the caller tries again with more.
 */
export class NutCursor {
  bytes: Uint8Array;
  position: number;
  end: number;
  short = false;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  reset(bytes: Uint8Array, position: number, end: number): void {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
    this.short = false;
  }

  u8(): number {
    if (this.position >= this.end) {
      this.short = true;
      return 0;
    }
    return this.bytes[this.position++] ?? 0;
  }

  u32(): number {
    const high = (this.u8() << 8) | this.u8();
    const low = (this.u8() << 8) | this.u8();
    return high * 0x10000 + low;
  }

  /** `v`: seven bits a byte, most significant first. */
  v(): number {
    let value = 0;
    for (;;) {
      const byte = this.u8();
      if (this.short) return 0;
      value = value * 128 + (byte & 127);
      if (value > Number.MAX_SAFE_INTEGER) throw nutInvalid('a number is larger than any real stream has');
      if ((byte & 128) === 0) return value;
    }
  }

  /** `s`: signed, the sign in the lowest bit. */
  s(): number {
    const value = this.v() + 1;
    return value % 2 === 1 ? -(value - 1) / 2 : value / 2;
  }

  /** `vb`: a length and that many bytes, copied. */
  vb(maxBytes: number): Uint8Array {
    const length = this.v();
    if (length > maxBytes) throw nutInvalid(`a field of ${length} bytes is larger than ${maxBytes}`);
    if (this.position + length > this.end) {
      this.short = true;
      return new Uint8Array(0);
    }
    const value = this.bytes.slice(this.position, this.position + length);
    this.position += length;
    return value;
  }
}
