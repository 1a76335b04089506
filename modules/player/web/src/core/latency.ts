/** How far behind the newest picture live play stays at least: a frame's way through network and decoder, seconds. */
const LEAST = 0.12;
/** Boxes may take this long at most to come before the picture does not wait for them, seconds. */
const MOST = 0.7;
/** Of the last delays of insights, this many are remembered. */
const REMEMBERED = 60;
/** Room above the delay that nearly all insights keep, seconds. */
const MARGIN = 0.06;

/** What the player does to stay at its distance from the newest picture. */
export type Pace = { readonly do: 'jump'; readonly to: number } | { readonly do: 'play'; readonly rate: number };

/**
 * Keeps a live picture as near to now as can be while its boxes still come in time: boxes come a little after their
 * frame, and a frame that is shown too early is shown without them. All times are seconds on the picture's clock.
 */
export class LivePace {
  #delays: number[] = [];

  /** How much later than its frame an insight came. */
  insightDelay(seconds: number): void {
    this.#delays.push(Math.max(0, seconds));
    if (this.#delays.length > REMEMBERED) this.#delays.shift();
  }

  /** Distance from the newest picture that is aimed at. */
  get target(): number {
    if (this.#delays.length === 0) return LEAST;
    const sorted = this.#delays.toSorted((a, b) => a - b);
    const usual = sorted[Math.floor(sorted.length * 0.95)] ?? 0;
    return Math.min(MOST, Math.max(LEAST, usual + MARGIN));
  }

  /**
   * @param at where the picture is
   * @param start first second that can be played
   * @param newest last second that has come
   */
  pace(at: number, start: number, newest: number): Pace {
    const behind = newest - at;
    const { target } = this;
    if (at < start - 0.001 || behind > target + 1 || behind < -0.5)
      return { do: 'jump', to: Math.max(start, newest - target) };
    if (behind > target + 0.12) return { do: 'play', rate: 1.1 };
    if (behind < target - 0.08) return { do: 'play', rate: 0.9 };
    return { do: 'play', rate: 1 };
  }
}
