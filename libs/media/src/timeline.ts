/**
 * One line of time across loops of a file and reconnections of a camera.
 *
 * `ptsUs` starts at 0 for a camera and at the file's own first time for a file, and goes on without a step back when
 * a new run starts: for a file right after the last frame, for a camera by the wall clock.
 */
export class Timeline {
  readonly #live: boolean;
  #offsetUs: number | undefined;
  /** Raw times of the current run. */
  #minRawUs = Infinity;
  #maxRawUs = -Infinity;
  #count = 0;
  #lastWallMs = 0;
  /** Raw start of an earlier run of the same file: the next one starts there, too. */
  #fileStartUs = 0;
  #resumeAtUs: number | undefined;
  /** Where the last run ended on the line, and when that was on the wall. */
  #endUs = 0;
  #endWallMs = 0;

  constructor(live: boolean) {
    this.#live = live;
  }

  /** The time on the line of a frame of the current run; negative for a frame before the first one. */
  map(rawUs: number, nowMs: number): number {
    this.#offsetUs ??= this.#startRun(rawUs, nowMs);
    return rawUs + this.#offsetUs;
  }

  /** Counts a frame; call once a frame, for one kind of frames only. */
  count(rawUs: number, nowMs: number): void {
    this.#lastWallMs = nowMs;
    if (rawUs < this.#minRawUs) this.#minRawUs = rawUs;
    if (rawUs > this.#maxRawUs) this.#maxRawUs = rawUs;
    this.#count++;
  }

  /** Ends a run; the next one continues after it. */
  endRun(): void {
    if (this.#count > 0 && this.#offsetUs !== undefined) {
      const intervalUs =
        this.#count > 1 ? Math.max(1, Math.round((this.#maxRawUs - this.#minRawUs) / (this.#count - 1))) : 40_000;
      this.#endUs = this.#maxRawUs + this.#offsetUs;
      this.#endWallMs = this.#lastWallMs;
      this.#resumeAtUs = this.#endUs + intervalUs;
      this.#fileStartUs = this.#minRawUs;
    }
    this.#offsetUs = undefined;
    this.#minRawUs = Infinity;
    this.#maxRawUs = -Infinity;
    this.#count = 0;
  }

  #startRun(rawUs: number, nowMs: number): number {
    if (this.#live) {
      if (this.#resumeAtUs === undefined) return -rawUs;
      const byWallUs = this.#endUs + Math.round((nowMs - this.#endWallMs) * 1000);
      return Math.max(this.#resumeAtUs, byWallUs) - rawUs;
    }
    return this.#resumeAtUs === undefined ? Math.max(0, -rawUs) : this.#resumeAtUs - this.#fileStartUs;
  }
}
