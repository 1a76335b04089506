import { setTimeout as after } from 'node:timers/promises';

/** How long one Ctrl-C may echo: the terminal, npm and our own launcher each pass the same one on. */
const ECHO_MS = 2000;

/** Ctrl-C and SIGTERM, from the moment it is made: the first asks for an orderly end, one well after it ends at once. */
export class EndSignal {
  readonly #abort = new AbortController();
  readonly #onSignal: () => void;
  #firstMs: number | undefined;

  constructor() {
    this.#onSignal = () => {
      this.request();
      // Modules end by themselves when their runtime is gone.
      if (performance.now() - (this.#firstMs ?? 0) > ECHO_MS) process.exit(130);
    };
    process.on('SIGINT', this.#onSignal).on('SIGTERM', this.#onSignal);
  }

  /** Asks for an orderly end, as the first Ctrl-C does. */
  request(): void {
    this.#firstMs ??= performance.now();
    this.#abort.abort();
  }

  /** Resolves on the first signal, at once if it has been, or after the time. */
  async wait(seconds: number | undefined): Promise<void> {
    // Longest timer there is, about 25 days: without one this wait would not keep the process.
    const ms = seconds === undefined ? 2 ** 31 - 1 : seconds * 1000;
    do {
      await after(ms, undefined, { signal: this.#abort.signal }).catch(() => undefined);
    } while (seconds === undefined && !this.#abort.signal.aborted);
  }

  release(): void {
    process.off('SIGINT', this.#onSignal).off('SIGTERM', this.#onSignal);
  }
}
