/** Sizes that are kept at once: the picture for the network, the full one, and those of a model that is being changed. */
const MAX_SIZES = 4;

/** Picture buffers that wait for their next picture. */
export class BufferPool {
  readonly #perSize: number;
  readonly #bySize = new Map<number, ArrayBuffer[]>();

  constructor(perSize: number) {
    this.#perSize = perSize;
  }

  /** A buffer of exactly `bytes`: used ones first. */
  take(bytes: number): ArrayBuffer {
    return this.#bySize.get(bytes)?.pop() ?? new ArrayBuffer(bytes);
  }

  /** Takes a buffer back. One that was moved away and is empty goes nowhere. */
  give(buffer: ArrayBuffer): void {
    const bytes = buffer.byteLength;
    if (bytes === 0) return;
    const kept = this.#bySize.get(bytes);
    if (kept) {
      if (kept.length < this.#perSize) kept.push(buffer);
      return;
    }
    const [oldest] = this.#bySize.keys();
    if (this.#bySize.size >= MAX_SIZES && oldest !== undefined) this.#bySize.delete(oldest);
    this.#bySize.set(bytes, [buffer]);
  }
}
