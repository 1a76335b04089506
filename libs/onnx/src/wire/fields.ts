/**
 * Walks over the fields of one protobuf message without copying or decoding what they hold
 * (https://protobuf.dev/programming-guides/encoding). A model's weights are passed over, however large they are.
 */
export class Fields {
  /** Number of the field that `next` stopped at. */
  field = 0;
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  wireType = 0;
  /** Value of a varint; exact up to 2^53, which is more than any size in a file that fits into memory. */
  value = 0;
  /** Where the field's tag begins, and where its content begins and ends. */
  tagStart = 0;
  start = 0;
  end = 0;
  readonly #bytes: Uint8Array;
  readonly #limit: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#limit = end;
  }

  /**
   * Goes to the next field; false at the end of the message.
   *
   * @throws RangeError where the bytes are no protobuf message
   */
  next(): boolean {
    if (this.#at >= this.#limit) return false;
    this.tagStart = this.#at;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field < 1 || this.field >= 2 ** 29) throw this.#error(`a field has the number ${this.field}`);
    let length = 0;
    if (this.wireType === 2) length = this.#varint();
    this.start = this.#at;
    switch (this.wireType) {
      case 0:
        this.value = this.#varint();
        break;
      case 1:
        this.#at += 8;
        break;
      case 2:
        this.#at += length;
        break;
      case 5:
        this.#at += 4;
        break;
      default:
        throw this.#error(`a field has the wire type ${this.wireType}`);
    }
    if (this.#at > this.#limit) throw this.#error('a field ends behind the end of its message: the file was cut off');
    this.end = this.#at;
    return true;
  }

  /** The fields of the message in this field. */
  inner(): Fields {
    if (this.wireType !== 2) throw this.#error(`field ${this.field} should hold a message`);
    return new Fields(this.#bytes, this.start, this.end);
  }

  /** What the field holds: a view, nothing is copied. */
  content(): Uint8Array {
    if (this.wireType !== 2) throw this.#error(`field ${this.field} should hold bytes`);
    return this.#bytes.subarray(this.start, this.end);
  }

  /** Text of at most `maxBytes`; the rest is left out. */
  text(maxBytes = 4096): string {
    return decoder.decode(this.content().subarray(0, maxBytes));
  }

  /** One integer, or all of a packed list. */
  *integers(): Generator<number> {
    if (this.wireType === 0) {
      yield this.value;
      return;
    }
    const packed = new Fields(this.#bytes, this.start, this.end);
    while (packed.#at < packed.#limit) yield packed.#varint();
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 10; count += 1) {
      if (this.#at >= this.#limit) throw this.#error('a number is cut off');
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw this.#error('a number has more than ten bytes');
  }

  #error(what: string): RangeError {
    return new RangeError(`at byte ${this.tagStart} ${what}`);
  }
}

const decoder = new TextDecoder();
