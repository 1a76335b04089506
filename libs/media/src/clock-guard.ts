/** A camera whose clock moves this much against ours has jumped. */
const CLOCK_JUMP_US = 10_000_000;
/** ffmpeg hides a step back by adding one tick a frame: so many such frames in a row give it away. */
const CRAWLING_FRAMES = 5;

/** Notices that a camera's clock was set. One for each connection. */
export class ClockGuard {
  #rawUs: number | undefined;
  #arrivalMs = 0;
  #crawling = 0;

  /**
   * @param rawUs the frame's own time, in the order of arrival
   * @param arrivalMs when it came, on any steady clock
   */
  hasJumped(rawUs: number, arrivalMs: number): boolean {
    const stepUs = rawUs - (this.#rawUs ?? rawUs - 40_000);
    const waitedUs = this.#rawUs === undefined ? 0 : (arrivalMs - this.#arrivalMs) * 1000;
    this.#rawUs = rawUs;
    this.#arrivalMs = arrivalMs;
    this.#crawling = Math.abs(stepUs) < 100 ? this.#crawling + 1 : 0;
    // Packets come in decoding order, where small steps back are normal.
    return stepUs - waitedUs > CLOCK_JUMP_US || stepUs < -CLOCK_JUMP_US || this.#crawling >= CRAWLING_FRAMES;
  }
}
