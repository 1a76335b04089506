/** Ends what has stopped giving frames: one timer that looks at the last frame's time, instead of one timer a frame. */
export class Watchdog {
  readonly #onSilence: (allowedMs: number) => void;
  readonly #isPaused: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #allowedMs = 0;
  #lastMs = 0;

  constructor(onSilence: (allowedMs: number) => void, isPaused: () => boolean) {
    this.#onSilence = onSilence;
    this.#isPaused = isPaused;
  }

  /** A frame came, at this time of `performance.now()`. */
  seen(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  /** Watches from now on. */
  start(allowedMs: number): void {
    this.#allowedMs = allowedMs;
    this.#lastMs = performance.now();
    this.#wait(allowedMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#isPaused()) this.#lastMs = performance.now();
      const leftMs = this.#allowedMs - (performance.now() - this.#lastMs);
      if (leftMs > 1) this.#wait(leftMs);
      else this.#onSilence(this.#allowedMs);
    }, ms);
  }
}
