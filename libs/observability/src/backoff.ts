export interface BackoffOptions {
  /** First delay in milliseconds. Default 1000. */
  readonly baseMs?: number;
  /** Growth per failure, >= 1. Default 2. */
  readonly factor?: number;
  /** Part of each delay that is random, 0..1, both ways. Default 0.2. */
  readonly jitter?: number;
  /** Longest delay in milliseconds, jitter included. Default 60 000. */
  readonly capMs?: number;
  /** How long it must have been healthy before the delays start over, in milliseconds. Default 60 000. */
  readonly resetAfterMs?: number;
  /** Makes the jitter reproducible. */
  readonly seed?: number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * The one way to wait before trying again: exponential with jitter, capped, back to the start after a healthy while
 * (as in grpc-js, doc/connection-backoff.md). Not started by itself, owns no timer between calls.
 *
 * @example
 * const backoff = new Backoff({ baseMs: 500 });
 * do { if (await tryIt()) break; } while (await backoff.wait(signal));
 */
export class Backoff {
  readonly #base: number;
  readonly #factor: number;
  readonly #jitter: number;
  readonly #cap: number;
  readonly #resetAfter: number;
  readonly #random: () => number;
  readonly #now: () => number;
  #failures = 0;
  #healthySince: number | undefined;

  constructor(options: BackoffOptions = {}) {
    this.#base = options.baseMs ?? 1000;
    this.#factor = Math.max(1, options.factor ?? 2);
    this.#jitter = Math.min(1, Math.max(0, options.jitter ?? 0.2));
    this.#cap = options.capMs ?? 60_000;
    this.#resetAfter = options.resetAfterMs ?? 60_000;
    this.#random = options.seed === undefined ? Math.random : mulberry32(options.seed);
    this.#now = options.now ?? (() => performance.now());
  }

  /** Delays given since the last reset. */
  get failures(): number {
    return this.#failures;
  }

  /** Says that it works now; delays start over once that has lasted `resetAfterMs`. */
  healthy(): void {
    this.#healthySince ??= this.#now();
  }

  /** Starts over at once. */
  reset(): void {
    this.#failures = 0;
    this.#healthySince = undefined;
  }

  /** Says that it failed (again), and gives the milliseconds to wait. */
  next(): number {
    if (this.#healthySince !== undefined && this.#now() - this.#healthySince >= this.#resetAfter) this.reset();
    this.#healthySince = undefined;
    const plain = Math.min(this.#cap, this.#base * this.#factor ** this.#failures);
    this.#failures += 1;
    return Math.min(this.#cap, plain * (1 + this.#jitter * (2 * this.#random() - 1)));
  }

  /** Waits for {@link next}. True when the time is over, false as soon as the signal aborts. */
  async wait(signal?: AbortSignal): Promise<boolean> {
    const delayMs = this.next();
    if (signal?.aborted === true) return false;
    return new Promise((resolve) => {
      const finish = (result: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        resolve(result);
      };
      const onAbort = (): void => finish(false);
      const timer = setTimeout(() => finish(true), delayMs);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** A small seeded generator (Tommy Ettinger's mulberry32, public domain): good enough for jitter. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
