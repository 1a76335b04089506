import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** A message with pieces of it replaced; all the rest is copied as it was, once, when the bytes are asked for. */
export class Splice {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #pieces: (Uint8Array | Splice)[] = [];
  #at: number;
  #length = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Puts a length-delimited field before `at`. Calls go through the message from front to back. */
  insert(at: number, field: number, content: Uint8Array): void {
    this.replace(at, at, field, content);
  }

  /** Puts a length-delimited field in the place of what is between `start` and `end`. */
  replace(start: number, end: number, field: number, content: Uint8Array): void {
    this.#keepUntil(start);
    this.#push(tagged(field, content.length));
    this.#push(content);
    this.#at = end;
  }

  /** Leaves out what is between `start` and `end`. */
  remove(start: number, end: number): void {
    this.#keepUntil(start);
    this.#at = end;
  }

  /** `replace` with a message that is spliced itself; it is complete by now. */
  replaceWith(start: number, end: number, field: number, content: Splice): void {
    this.#keepUntil(start);
    this.#push(tagged(field, content.#finish()));
    this.#push(content);
    this.#at = end;
  }

  toBytes(): Uint8Array {
    const out = new Uint8Array(this.#finish());
    this.#copyTo(out, 0);
    return out;
  }

  #finish(): number {
    this.#keepUntil(this.#end);
    this.#at = this.#end;
    return this.#length;
  }

  #keepUntil(end: number): void {
    if (end > this.#at) this.#push(this.#bytes.subarray(this.#at, end));
  }

  #push(piece: Uint8Array | Splice): void {
    this.#pieces.push(piece);
    this.#length += piece instanceof Splice ? piece.#length : piece.length;
  }

  #copyTo(out: Uint8Array, start: number): number {
    let at = start;
    for (const piece of this.#pieces) {
      if (piece instanceof Splice) {
        at = piece.#copyTo(out, at);
      } else {
        out.set(piece, at);
        at += piece.length;
      }
    }
    return at;
  }
}

/** Tag and length of a length-delimited field. */
function tagged(field: number, length: number): Uint8Array {
  return new BinaryWriter()
    .uint32((field << 3) | 2)
    .uint32(length)
    .finish();
}
