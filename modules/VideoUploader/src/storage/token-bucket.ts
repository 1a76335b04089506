/**
 * Bytes a second for all uploads together. What is taken may be sent at once when nothing was lately, else later: in the
 * long run the rate holds.
 */
export class TokenBucket {
  #bytesPerSecond = 0;
  #freeAtMs = 0;
  readonly #now: () => number;

  /** @param now monotonic, milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** 0: no limit. */
  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  setRate(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
    this.#freeAtMs = Math.min(this.#freeAtMs, this.#now());
  }

  /** Milliseconds to wait before `bytes` may be sent. */
  take(bytes: number): number {
    const now = this.#now();
    if (this.#bytesPerSecond <= 0) return 0;
    const startMs = Math.max(now, this.#freeAtMs);
    this.#freeAtMs = startMs + (bytes / this.#bytesPerSecond) * 1000;
    return startMs - now;
  }
}
