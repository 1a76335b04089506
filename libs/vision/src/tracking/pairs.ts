/** Rows and columns that may go together, with how well they do. Filled again for each use. */
export class PairList {
  #rows = new Int32Array(64);
  #columns = new Int32Array(64);
  #scores = new Float64Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get rows(): Int32Array {
    return this.#rows;
  }

  get columns(): Int32Array {
    return this.#columns;
  }

  get scores(): Float64Array {
    return this.#scores;
  }

  clear(): void {
    this.#length = 0;
  }

  /** @param score above 0 */
  push(row: number, column: number, score: number): void {
    if (this.#length === this.#rows.length) this.#grow();
    this.#rows[this.#length] = row;
    this.#columns[this.#length] = column;
    this.#scores[this.#length] = score;
    this.#length += 1;
  }

  #grow(): void {
    const capacity = this.#rows.length * 2;
    const rows = new Int32Array(capacity);
    const columns = new Int32Array(capacity);
    const scores = new Float64Array(capacity);
    rows.set(this.#rows);
    columns.set(this.#columns);
    scores.set(this.#scores);
    this.#rows = rows;
    this.#columns = columns;
    this.#scores = scores;
  }
}
