/** Lets so many do something at once; of those who wait the last who came is next: what somebody looks at now. */
export class Slots {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /**
   * @param begin called when there is room, perhaps at once
   * @returns gives the place back, or gives up waiting for one; idempotent
   */
  take(begin: () => void): () => void {
    let state: 'waits' | 'has' | 'over' = 'waits';
    const enter = (): void => {
      state = 'has';
      this.#taken += 1;
      begin();
    };
    if (this.#taken < this.#most) enter();
    else this.#waiting.push(enter);
    return () => {
      if (state === 'waits') this.#waiting.splice(this.#waiting.indexOf(enter), 1);
      const had = state === 'has';
      state = 'over';
      if (!had) return;
      this.#taken -= 1;
      this.#waiting.pop()?.();
    };
  }
}
