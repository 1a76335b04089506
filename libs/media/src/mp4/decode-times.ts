const MAX_DEPTH = 16;
const DEFAULT_FRAME_US = 40_000;

/**
 * Times of decoding for frames that only know when they are shown.
 *
 * With a lag of `depth` frames, frame n is decoded when the (n - depth)th frame is shown, and the first ones right one
 * after the other: so nothing is decoded after it is shown, the first frame needs no time before it, and none needs a
 * look ahead. (Readers disagree about fragments in which something is decoded later than shown.) A lag that turns out
 * to be larger than announced is learned on the way.
 */
export class DecodeTimes {
  #depth: number;
  #lastUs = -Infinity;
  #endUs = Infinity;
  #shownUs = 0;
  #frameUs = DEFAULT_FRAME_US;
  /** Times of frames that stand for later ones, ascending. */
  readonly #waiting: number[] = [];

  /** @param depth how many frames the order of presentation lags behind that of decoding */
  constructor(depth: number) {
    this.#depth = Math.min(depth, MAX_DEPTH);
  }

  /** When the frame is decoded, microseconds: later than the one before, and never later than it is shown but for that. */
  next(ptsUs: number): number {
    this.#shownUs = ptsUs;
    let at = this.#waiting.length;
    while (at > 0 && (this.#waiting[at - 1] ?? 0) > ptsUs) at -= 1;
    this.#waiting.splice(at, 0, ptsUs);
    this.#depth = Math.min(MAX_DEPTH, Math.max(this.#depth, this.#waiting.length - 1 - at));
    const isFull = this.#waiting.length > this.#depth;
    const first = this.#lastUs === -Infinity;
    let dueUs = isFull ? (this.#waiting.shift() ?? ptsUs) : first ? ptsUs : this.#lastUs;
    // A gap that was not announced stays out of the times of decoding: Media Source takes it for another stream.
    dueUs = Math.min(dueUs, this.#endUs);
    this.#endUs = Infinity;
    const distanceUs = dueUs - this.#lastUs;
    if (distanceUs > 1 && !first) this.#frameUs = distanceUs;
    this.#lastUs = first ? dueUs : Math.max(dueUs, this.#lastUs + 1);
    return this.#lastUs;
  }

  /** Until when the last frame lasts: the next one is not decoded later. @param ptsUs when the next one is shown, if known */
  end(ptsUs: number | undefined): number {
    let dueUs = ptsUs ?? this.#shownUs + this.#frameUs;
    if (this.#depth > 0) dueUs = this.#waiting.length >= this.#depth ? (this.#waiting[0] ?? 0) : this.#lastUs;
    this.#endUs = Math.max(Math.round(dueUs), this.#lastUs + 1);
    return this.#endUs;
  }
}
