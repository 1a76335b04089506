/** Sizes that are kept at once: the picture for the network, the full one, and those of a model that is being changed. */
const MAX_SIZES = 4;

/** Picture buffers that wait for their next picture. */
export class BufferPool<T extends ArrayBufferLike> {
  readonly #perSize: number;
  readonly #make: (bytes: number) => T;
  readonly #bySize = new Map<number, T[]>();

  constructor(perSize: number, make: (bytes: number) => T) {
    this.#perSize = perSize;
    this.#make = make;
  }

  /** A buffer of exactly `bytes`: used ones first. */
  take(bytes: number): T {
    return this.#bySize.get(bytes)?.pop() ?? this.#make(bytes);
  }

  /** Takes a buffer back. One that was moved away and is empty goes nowhere. */
  give(buffer: T): void {
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
