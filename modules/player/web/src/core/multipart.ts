/** A picture of a camera wall is a tenth of it. */
const MOST_BYTES = 8 * 1024 * 1024;
const HEAD_END = [13, 10, 13, 10] as const;

/** Takes the parts out of a `multipart/x-mixed-replace` stream whose parts say their `content-length`. */
export class MultipartReader {
  #rest = new Uint8Array(0);

  /** @returns the bodies that are complete now. @throws Error for what is no such stream, or too large a part */
  push(chunk: Uint8Array): Uint8Array<ArrayBuffer>[] {
    const joined = new Uint8Array(this.#rest.length + chunk.length);
    joined.set(this.#rest);
    joined.set(chunk, this.#rest.length);
    this.#rest = joined;
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let part = this.#next(); part; part = this.#next()) parts.push(part);
    return parts;
  }

  #next(): Uint8Array<ArrayBuffer> | undefined {
    const head = this.#rest.findIndex((_, at) => HEAD_END.every((byte, index) => this.#rest[at + index] === byte));
    if (head < 0 && this.#rest.length < 1024) return undefined;
    const text = new TextDecoder('latin1').decode(this.#rest.subarray(0, Math.max(0, head)));
    const length = Number(/content-length:\s*(\d+)/i.exec(text)?.[1] ?? Number.NaN);
    if (!(length <= MOST_BYTES)) throw new Error('that is no stream of pictures');
    const [start, end] = [head + HEAD_END.length, head + HEAD_END.length + length];
    if (this.#rest.length < end) return undefined;
    const part = this.#rest.slice(start, end);
    this.#rest = this.#rest.slice(end);
    return part;
  }
}
