import type { CallResult } from './messages.ts';

/** The p95 is of so many calls at most. */
const KEPT = 512;

export interface CallCounts {
  readonly calls: number;
  /** Calls without an answer, for whatever reason. */
  readonly errors: number;
  /** Of these: those that took too long. */
  readonly timeouts: number;
  /** Of these: those that were not tried. */
  readonly refused: number;
  /** Milliseconds; absent before the first call. */
  readonly p95Ms?: number;
}

/** What became of the calls of one node, over all its processes. */
export class CallStatistics {
  readonly #durations = new Float64Array(KEPT);
  #filled = 0;
  #next = 0;
  #calls = 0;
  #errors = 0;
  #timeouts = 0;
  #refused = 0;

  add(result: CallResult, ms: number): void {
    this.#calls += 1;
    if (result !== 'ok') this.#errors += 1;
    if (result === 'deadline') this.#timeouts += 1;
    if (result === 'refused') {
      this.#refused += 1;
      return;
    }
    this.#durations[this.#next] = ms;
    this.#next = (this.#next + 1) % KEPT;
    this.#filled = Math.min(KEPT, this.#filled + 1);
  }

  /** Calls that went down with their process. */
  lost(count: number): void {
    this.#calls += count;
    this.#errors += count;
  }

  get counts(): CallCounts {
    const counts = { calls: this.#calls, errors: this.#errors, timeouts: this.#timeouts, refused: this.#refused };
    if (this.#filled === 0) return counts;
    const sorted = this.#durations.slice(0, this.#filled).sort();
    const p95Ms = sorted[Math.min(this.#filled - 1, Math.floor(this.#filled * 0.95))] ?? 0;
    return { ...counts, p95Ms: Math.round(p95Ms * 10) / 10 };
  }
}
