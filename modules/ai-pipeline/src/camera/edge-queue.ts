import type { GraphEdge } from '@vantage/skill';

/** What became of the frames of an edge, since the camera was opened. */
export interface EdgeCounters {
  readonly passed: number;
  readonly dropped: number;
}

/** The queue of one edge of the graph: bounded, with the policy that the edge declares. */
export class EdgeQueue<T> {
  readonly #queue: GraphEdge['queue'];
  readonly #onDropped: (item: T) => void;
  readonly #items: T[] = [];
  /** One for each push that waits: while pictures are exchanged, two readers do. */
  readonly #waiters: (() => void)[] = [];
  #passed = 0;
  #dropped = 0;

  constructor(queue: GraphEdge['queue'], onDropped: (item: T) => void) {
    this.#queue = queue;
    this.#onDropped = onDropped;
  }

  get counters(): EdgeCounters {
    return { passed: this.#passed, dropped: this.#dropped };
  }

  get size(): number {
    return this.#items.length;
  }

  /** What `shift` would give. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Takes the item over. A returned promise means: wait before the next one (`block`, and the queue is full). */
  push(item: T): void | Promise<void> {
    const { capacity, policy } = this.#queue;
    switch (policy) {
      case 'latest':
        while (this.#items.length > 0) this.#drop();
        break;
      case 'dropOldest':
        while (this.#items.length >= capacity) this.#drop();
        break;
      case 'dropNewest':
        if (this.#items.length >= capacity) {
          this.#dropped += 1;
          this.#onDropped(item);
          return undefined;
        }
        break;
      case 'block':
        break;
    }
    this.#items.push(item);
    if (policy !== 'block' || this.#items.length < capacity) return undefined;
    return new Promise((resolve) => void this.#waiters.push(resolve));
  }

  shift(): T | undefined {
    const item = this.#items.shift();
    if (item === undefined) return undefined;
    this.#passed += 1;
    this.#waiters.shift()?.();
    return item;
  }

  #drop(): void {
    const oldest = this.#items.shift();
    if (oldest === undefined) return;
    this.#dropped += 1;
    this.#onDropped(oldest);
  }
}
