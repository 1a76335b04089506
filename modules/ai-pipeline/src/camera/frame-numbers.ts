/**
 * Numbers of a camera's frames, whatever the pictures are: those of every frame, or of every n-th only. They go on when
 * other pictures take over.
 */
export class FrameNumbers {
  #every: number;
  #frameId = 0;
  #sequence = 0;
  #last = -1;

  /** @param every pictures come of every so many frames only */
  constructor(every: number) {
    this.#every = every;
  }

  /** The number of the frame that the `sequence`th picture shows. */
  of(sequence: number): number {
    this.#last = this.#frameId + (sequence - this.#sequence) * this.#every;
    this.#sequence = sequence;
    this.#frameId = this.#last;
    return this.#last;
  }

  /** From the next picture on, pictures come of every frame. */
  everyFrameFromHere(): void {
    this.#sequence += 1;
    this.#frameId = this.#last + 1;
    this.#every = 1;
  }
}
