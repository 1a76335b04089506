import type { FrameInsights } from '@vantage/skill';

/** More than this many frames are never kept, however long the clips. */
const MAX_FRAMES = 20_000;

/** The insights of the last seconds of one camera, in the order of their times. Oldest are dropped. */
export class InsightHistory {
  readonly #seconds: number;
  readonly #waiters = new Set<() => void>();
  #frames: FrameInsights[] = [];

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  push(frame: FrameInsights): void {
    const newest = this.#frames.at(-1);
    // Another time line (the camera was opened again): what went before has no place in it.
    if (newest && frame.ptsUs < newest.ptsUs) this.#frames = [];
    this.#frames.push(frame);
    const horizon = frame.ptsUs - this.#seconds * 1e6;
    // Cut in lots, so that the array is not moved for every frame.
    if ((this.#frames[256]?.ptsUs ?? Infinity) < horizon || this.#frames.length > MAX_FRAMES)
      this.#frames.splice(0, 256);
    for (const wake of this.#waiters) wake();
  }

  between(fromPtsUs: number, toPtsUs: number): FrameInsights[] {
    return this.#frames.filter((frame) => frame.ptsUs >= fromPtsUs && frame.ptsUs <= toPtsUs);
  }

  /** Resolves when a frame at or after `ptsUs` is known, or after `timeoutMs`. */
  reached(ptsUs: number, timeoutMs: number): Promise<void> {
    const isThere = () => (this.#frames.at(-1)?.ptsUs ?? -Infinity) >= ptsUs;
    if (isThere()) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve();
      };
      const check = () => {
        if (isThere()) finish();
      };
      const timer = setTimeout(finish, timeoutMs);
      this.#waiters.add(check);
    });
  }
}
