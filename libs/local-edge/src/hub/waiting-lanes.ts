import { PAGE_BYTES, type MessageStore } from '../state/message-store.ts';
import type { Waiting } from '../state/message-rows.ts';

/** Most copies of one queue in memory. */
const LANE_ITEMS = 2048;

/** The head of one queue; what does not fit stays in the store until its turn. */
interface Lane {
  readonly priority: number;
  items: Waiting[];
  bytes: number;
  /** The last copy that came into memory. */
  newestId: number;
  /** The store holds copies that came after that one. */
  behind: boolean;
}

/**
 * What waits for one target: a lane per priority, each in the order the copies came. Of a lane at most
 * {@link LANE_ITEMS} copies (or {@link PAGE_BYTES}) are in memory, the rest is read from the store page by page.
 */
export class WaitingLanes {
  readonly #store: MessageStore;
  readonly #target: string;
  /** The most urgent first. */
  readonly #lanes: Lane[] = [];

  constructor(store: MessageStore, target: string) {
    this.#store = store;
    this.#target = target;
  }

  /** A queue of the last run waits in the store. */
  resume(priority: number): void {
    this.#lane(priority).behind = true;
  }

  /** Takes a copy that came into the store just now. */
  add(item: Waiting): void {
    const lane = this.#lane(item.priority);
    // A page that was read between the commit and this call has it already.
    if (item.id <= lane.newestId) return;
    lane.behind ||= lane.items.length >= LANE_ITEMS || lane.bytes >= PAGE_BYTES;
    if (!lane.behind) append(lane, item);
  }

  /** Takes out the next copy: the oldest of the most urgent. */
  take(): Waiting | undefined {
    for (const lane of this.#lanes) {
      const item = this.#takeOf(lane);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** Takes out the next copies, all of one priority. */
  takeBatch(most: number): Waiting[] {
    for (const lane of this.#lanes) {
      const batch: Waiting[] = [];
      for (let item = this.#takeOf(lane); item !== undefined; item = this.#takeOf(lane)) {
        batch.push(item);
        if (batch.length >= most) break;
      }
      if (batch.length > 0) return batch;
    }
    return [];
  }

  /** Puts back what was taken last, in the order it was taken. */
  putBack(...items: readonly Waiting[]): void {
    for (const item of items.toReversed()) {
      const lane = this.#lane(item.priority);
      lane.items.unshift(item);
      lane.bytes += item.message.body.length;
    }
  }

  /** Takes a copy out of the middle. */
  drop(id: number, priority: number): void {
    const lane = this.#lane(priority);
    const at = lane.items.findIndex((item) => item.id === id);
    const [item] = at < 0 ? [] : lane.items.splice(at, 1);
    if (item !== undefined) lane.bytes -= item.message.body.length;
  }

  #takeOf(lane: Lane): Waiting | undefined {
    if (lane.items.length === 0 && lane.behind) {
      const { items, more } = this.#store.page(this.#target, lane.priority, lane.newestId);
      for (const item of items) append(lane, item);
      lane.behind = more;
    }
    const item = lane.items.shift();
    if (item !== undefined) lane.bytes -= item.message.body.length;
    return item;
  }

  #lane(priority: number): Lane {
    const known = this.#lanes.find((lane) => lane.priority === priority);
    if (known !== undefined) return known;
    const lane: Lane = { priority, items: [], bytes: 0, newestId: 0, behind: false };
    this.#lanes.push(lane);
    this.#lanes.sort((a, b) => a.priority - b.priority);
    return lane;
  }
}

function append(lane: Lane, item: Waiting): void {
  lane.items.push(item);
  lane.bytes += item.message.body.length;
  lane.newestId = item.id;
}
