/** Most packets that wait on one slow connection; more break it, as a real one would. */
const MAX_WAITING = 10_000;

interface Waiting {
  readonly dueMs: number;
  readonly write: () => void;
}

/** The way to one client, which the fault `delay` makes slow. Packets keep their order, whatever becomes of the delay. */
export class SlowLink {
  readonly #waiting: Waiting[] = [];
  readonly #overflow: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `overflow` is called when more waits than can be held. */
  constructor(overflow: () => void) {
    this.#overflow = overflow;
  }

  /** Writes now, or `delayMs` later; never before what came earlier. */
  send(write: () => void, delayMs: number): void {
    const last = this.#waiting.at(-1);
    if (delayMs === 0 && last === undefined) {
      write();
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      this.close();
      this.#overflow();
      return;
    }
    this.#waiting.push({ dueMs: Math.max(performance.now() + delayMs, last?.dueMs ?? 0), write });
    this.#wait();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  #wait(): void {
    const first = this.#waiting[0];
    if (first === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const now = performance.now();
        const due = this.#waiting.findIndex(({ dueMs }) => dueMs > now);
        for (const { write } of this.#waiting.splice(0, due < 0 ? this.#waiting.length : due)) write();
        this.#wait();
      },
      Math.max(0, first.dueMs - performance.now()),
    );
  }
}
