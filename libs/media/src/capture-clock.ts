/** How far a camera's capture times may lag behind its frames' arrival before they are set again. */
const MAX_CAPTURE_DRIFT_MS = 2000;

/** Wall clock of frames: that of the first one, and the others by their distance to it. */
export class CaptureClock {
  readonly #live: boolean;
  #anchor: { ptsUs: number; wallMs: number } | undefined;
  #lastMs = 0;

  constructor(live: boolean) {
    this.#live = live;
  }

  /** Milliseconds since 1970, never going back. */
  at(ptsUs: number, nowMs: number): number {
    this.#anchor ??= { ptsUs, wallMs: nowMs };
    let captureMs = this.#anchor.wallMs + (ptsUs - this.#anchor.ptsUs) / 1000;
    // A frame cannot be from the future: the first ones came late, out of the buffer that probing filled.
    if (this.#live && (captureMs > nowMs || nowMs - captureMs > MAX_CAPTURE_DRIFT_MS)) {
      this.#anchor = { ptsUs, wallMs: nowMs };
      captureMs = nowMs;
    }
    this.#lastMs = Math.max(this.#lastMs, Math.round(captureMs));
    return this.#lastMs;
  }
}
