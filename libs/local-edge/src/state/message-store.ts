import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { messageStoreFull } from '../errors.ts';
import type { HubMessage } from '../hub/message.ts';
import type { StateDatabase } from './database.ts';
import {
  copyOf,
  openMessageTables,
  runsOf,
  waitingOf,
  type Copy,
  type Delivery,
  type Waiting,
} from './message-rows.ts';

/** A part of a queue as it stands in the database. */
export interface Page {
  readonly items: Waiting[];
  /** There may be more behind it. */
  readonly more: boolean;
}

/** How many copies wait in one queue. */
export interface QueueLength {
  readonly endpoint: string;
  readonly priority: number;
  waiting: number;
}

/** Most copies and bytes of bodies that are read at once. */
export const PAGE_ITEMS = 256;
export const PAGE_BYTES = 4 * 1024 * 1024;
/** How long a delivered message may stand in the database: a crash within delivers it once more. */
const SETTLE_MS = 20;
const RETRY_MS = 1000;

/**
 * Where messages wait until every target has acknowledged them: a row for each copy that is to be delivered, bodies once.
 * Nothing of it is held in memory but the lengths of the queues; readers take pages.
 */
export class MessageStore {
  readonly #database: StateDatabase;
  readonly #limitBytes: () => number;
  readonly #logger: Logger;
  readonly #sql: ReturnType<typeof openMessageTables>;
  readonly #lengths = new Map<string, QueueLength>();
  #sizeBytes: number;
  #sequence: number;
  #id: number;
  /** Nothing is older before; most of the time it spares the search. Milliseconds since 1970. */
  #nextExpiryMs: number;
  /** Copies that are done and stand in the database still. */
  readonly #settled = new Map<number, Copy>();
  #removal: Promise<void> | undefined;
  /** Runs, or its removal is under way. */
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** `limitBytes`: the most that may wait; beyond it `put` refuses, so that nothing accepted is ever dropped. */
  constructor(database: StateDatabase, limitBytes: () => number, logger: Logger) {
    this.#database = database;
    this.#limitBytes = limitBytes;
    this.#logger = logger;
    this.#sql = openMessageTables(database);
    const totals = this.#sql.totals.get();
    this.#sizeBytes = Number(totals?.['size'] ?? 0);
    this.#id = Number(totals?.['lastId'] ?? 0);
    this.#sequence = Number(this.#sql.lastSequence.get()?.['value'] ?? 0);
    this.#nextExpiryMs = this.#searchNextExpiry();
    for (const { endpoint, priority, waiting } of this.#sql.lengths.all()) {
      this.#length(String(endpoint), Number(priority)).waiting = Number(waiting);
    }
  }

  /** Bytes of the messages that wait. */
  get sizeBytes(): number {
    return this.#sizeBytes - this.#settledSharedBytes();
  }

  get limitBytes(): number {
    return this.#limitBytes();
  }

  /** The queues that hold something now. */
  lengths(): QueueLength[] {
    return [...this.#lengths.values()].filter(({ waiting }) => waiting > 0);
  }

  /** The targets and priorities that something waits for. */
  queues(): { readonly target: string; readonly priority: number }[] {
    return this.#sql.queues.all().map(({ target, priority }) => ({
      target: String(target),
      priority: Number(priority),
    }));
  }

  /**
   * Keeps a message with the copies that are to be delivered. Resolves, in the order of the calls, when it outlives
   * this process.
   * @throws VantageError EDGE_STORE_FULL at the limit, EDGE_DISK_FULL
   */
  async put(message: HubMessage, deliveries: readonly Delivery[]): Promise<Waiting[]> {
    const { body, ...rest } = message;
    const head = JSON.stringify(rest);
    const size = head.length + body.length;
    if (this.#sizeBytes + size > this.limitBytes) throw messageStoreFull(this.limitBytes);
    // A packet's payload may be a slice of a much larger buffer of the socket.
    const kept: HubMessage = { ...message, body: Buffer.from(body) };
    const shared = deliveries.length === 1 ? null : ++this.#sequence;
    const own = shared === null ? size : 0;
    const copies = deliveries.map((delivery) => ({
      ...delivery,
      id: ++this.#id,
      shared,
      size: own,
      message: kept,
    }));
    this.#sizeBytes += size;
    try {
      await this.#database.write(() => {
        if (shared !== null) this.#sql.insertShared.run(shared, copies.length, size, head, body);
        for (const { id, target, priority, endpoint, expiresAtMs } of copies) {
          const content = shared === null ? ([head, body] as const) : ([null, null] as const);
          this.#sql.insert.run(id, target, priority, endpoint, expiresAtMs, shared, own, ...content);
        }
      });
    } catch (error) {
      this.#sizeBytes -= size;
      throw error;
    }
    for (const { expiresAtMs } of copies) this.#nextExpiryMs = Math.min(this.#nextExpiryMs, expiresAtMs ?? Infinity);
    for (const copy of copies) this.#length(copy.endpoint, copy.priority).waiting += 1;
    return copies;
  }

  /** The next copies of a queue that came in after the given one, oldest first. */
  page(target: string, priority: number, afterId: number): Page {
    const items: Waiting[] = [];
    let bytes = 0;
    for (const row of this.#sql.page.iterate(target, priority, afterId)) {
      if (this.#settled.has(Number(row['id']))) continue;
      const item = waitingOf(row);
      if (item === undefined) {
        this.#logger.error('a stored message cannot be read; it is left out', { id: row['id'] });
        continue;
      }
      items.push(item);
      bytes += item.message.body.length;
      if (bytes >= PAGE_BYTES || items.length >= PAGE_ITEMS) return { items, more: true };
    }
    return { items, more: false };
  }

  /** Copies whose time is over, at most so many, the longest dead first. */
  expired(now: number, most: number): Copy[] {
    if (now < this.#nextExpiryMs) return [];
    this.#nextExpiryMs = this.#searchNextExpiry();
    return this.#sql.expired
      .all(now, most)
      .map(copyOf)
      .filter(({ id }) => !this.#settled.has(id));
  }

  /**
   * Copies are delivered or no longer wanted. Written soon, and again when that fails; a crash before may deliver them
   * once more.
   */
  settle(copies: readonly Copy[]): void {
    for (const copy of copies) {
      this.#settled.set(copy.id, copy);
      this.#sizeBytes -= copy.size;
    }
    this.#lower(copies);
    this.#removeSoon();
  }

  /** Runs `change` and forgets the copies in one transaction, so that they move exactly once. */
  async move(copies: readonly Copy[], change: () => void): Promise<void> {
    let freed = 0;
    await this.#database.write(() => {
      change();
      freed = this.#remove(copies);
    });
    for (const { size } of copies) freed += size;
    this.#sizeBytes -= freed;
    this.#lower(copies);
  }

  /** Forgets everything that waits for a target. */
  async forget(target: string): Promise<void> {
    for (const { priority } of this.queues().filter((queue) => queue.target === target)) {
      for (let page = this.page(target, priority, 0); page.items.length > 0;) {
        await this.move(page.items, () => undefined);
        page = this.page(target, priority, page.items.at(-1)?.id ?? 0);
      }
    }
  }

  /** Writes what is settled a last time. The database stays open: it is not the store's. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#removal;
    if (this.#settled.size > 0) await this.#writeSettled();
  }

  /** One transaction for many: alone, a removal costs more than sending the message. */
  #removeSoon(delayMs = SETTLE_MS): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#removal = this.#writeSettled().then((done) => {
        this.#timer = undefined;
        if (this.#settled.size > 0) this.#removeSoon(done ? SETTLE_MS : RETRY_MS);
      });
    }, delayMs);
  }

  async #writeSettled(): Promise<boolean> {
    let copies: Copy[] = [];
    let freed = 0;
    try {
      await this.#database.write(() => {
        copies = [...this.#settled.values()];
        freed = this.#remove(copies);
      });
    } catch (error) {
      this.#logger.warn('delivered messages cannot be removed from the store yet', { error: messageOf(error) });
      return false;
    }
    for (const { id } of copies) this.#settled.delete(id);
    this.#sizeBytes -= freed;
    return true;
  }

  /** Yields the bytes of shared messages that are free then: such a message goes with its last copy. */
  #remove(copies: readonly Copy[]): number {
    const alone = copies.filter(({ shared }) => shared === null).map(({ id }) => id);
    for (const [first, last] of runsOf(alone)) this.#sql.deleteRange.run(first, last);
    let freed = 0;
    for (const { id, shared } of copies) {
      if (shared === null || this.#sql.delete.run(id).changes === 0) continue;
      const last = this.#sql.deleteShared.get(shared);
      if (last === undefined) this.#sql.lowerPending.run(shared);
      else freed += Number(last['size']);
    }
    return freed;
  }

  /** Bytes of shared messages that wait for nobody any longer and stand in the database still. */
  #settledSharedBytes(): number {
    const done = new Map<number, number>();
    for (const { shared } of this.#settled.values()) if (shared !== null) done.set(shared, (done.get(shared) ?? 0) + 1);
    let bytes = 0;
    for (const [sequence, copies] of done) {
      const row = this.#sql.shared.get(sequence);
      if (Number(row?.['pending']) <= copies) bytes += Number(row?.['size']);
    }
    return bytes;
  }

  #searchNextExpiry(): number {
    const earliest = this.#sql.nextExpiry.get()?.['value'] ?? null;
    return earliest === null ? Infinity : Number(earliest);
  }

  #lower(copies: readonly Copy[]): void {
    for (const { endpoint, priority } of copies) this.#length(endpoint, priority).waiting -= 1;
  }

  #length(endpoint: string, priority: number): QueueLength {
    const key = `${endpoint} ${priority}`;
    const known = this.#lengths.get(key);
    if (known !== undefined) return known;
    const length: QueueLength = { endpoint, priority, waiting: 0 };
    this.#lengths.set(key, length);
    return length;
  }
}
