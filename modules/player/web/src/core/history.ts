/** What was, is and will be again: undo and redo over immutable states. Bounded: the oldest state is forgotten. */
export class History<T> {
  readonly #limit: number;
  #past: T[] = [];
  #future: T[] = [];
  #present: T;

  constructor(present: T, limit = 200) {
    this.#present = present;
    this.#limit = limit;
  }

  get present(): T {
    return this.#present;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** A new state; what was undone before is gone. */
  push(state: T): void {
    if (state === this.#present) return;
    this.#past.push(this.#present);
    if (this.#past.length > this.#limit) this.#past.shift();
    this.#future = [];
    this.#present = state;
  }

  undo(): boolean {
    const before = this.#past.pop();
    if (before === undefined) return false;
    this.#future.push(this.#present);
    this.#present = before;
    return true;
  }

  redo(): boolean {
    const after = this.#future.pop();
    if (after === undefined) return false;
    this.#past.push(this.#present);
    this.#present = after;
    return true;
  }
}
