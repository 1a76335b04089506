/** Lets so many work at a time and so many wait, in order of arrival; the rest is refused. */
export class Turns {
  readonly #concurrency: number;
  readonly #waiting: number;
  readonly #queue: (() => void)[] = [];
  #taken = 0;

  constructor(concurrency: number, waiting: number) {
    this.#concurrency = concurrency;
    this.#waiting = waiting;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * @returns true when it is the caller's turn (then it calls {@link leave} once), false when there is no room or the signal
   *   aborted first
   */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#taken < this.#concurrency) {
      this.#taken += 1;
      return true;
    }
    if (this.#queue.length >= this.#waiting) return false;
    return new Promise((resolve) => {
      const onTurn = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve(true);
      };
      const onAbort = (): void => {
        this.#queue.splice(this.#queue.indexOf(onTurn), 1);
        resolve(false);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#queue.push(onTurn);
    });
  }

  /** Hands the turn to the next one. */
  leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#taken -= 1;
    else next();
  }
}
