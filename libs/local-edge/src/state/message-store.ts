import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { messageStoreFull } from '../errors.ts';
import type { HubMessage } from '../hub/message.ts';
import type { StateDatabase } from './database.ts';
import { copyOf, openMessageTables, waitingOf, type Copy, type Delivery, type Waiting } from './message-rows.ts';

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
 * Where messages wait until every target has acknowledged them: bodies once, and a row for each copy that is to be
 * delivered. Nothing of it is held in memory but the lengths of the queues; readers take pages.
 */
export class MessageStore {
  readonly #database: StateDatabase;
  readonly #limitBytes: () => number;
  readonly #logger: Logger;
  readonly #sql: ReturnType<typeof openMessageTables>;
  readonly #lengths = new Map<string, QueueLength>();
  #sizeBytes = 0;
  #sequence = 0;
  #id = 0;
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
    this.#sizeBytes = numberOf(this.#sql.totalSize.get());
    this.#sequence = numberOf(this.#sql.lastSequence.get());
    this.#id = numberOf(this.#sql.lastId.get());
    for (const { endpoint, priority, waiting } of this.#sql.lengths.all()) {
      this.#length(String(endpoint), Number(priority)).waiting = Number(waiting);
    }
  }

  /** Bytes of the messages that wait. */
  get sizeBytes(): number {
    return this.#sizeBytes;
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
    const sequence = ++this.#sequence;
    const copies = deliveries.map((delivery) => ({ ...delivery, id: ++this.#id, sequence, message: kept }));
    this.#sizeBytes += size;
    try {
      await this.#database.write(() => {
        this.#sql.insertMessage.run(sequence, copies.length, size, head, body);
        for (const { id, target, priority, endpoint, expiresAtMs } of copies) {
          this.#sql.insertDelivery.run(id, sequence, target, priority, endpoint, expiresAtMs);
        }
      });
    } catch (error) {
      this.#sizeBytes -= size;
      throw error;
    }
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
    for (const copy of copies) this.#settled.set(copy.id, copy);
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

  /** Yields the bytes that are free then. A message goes with its last copy. */
  #remove(copies: readonly Copy[]): number {
    let freed = 0;
    for (const { id, sequence } of copies) {
      if (this.#sql.deleteDelivery.run(id).changes === 0) continue;
      const last = this.#sql.deleteMessage.get(sequence);
      if (last === undefined) this.#sql.lowerPending.run(sequence);
      else freed += Number(last['size']);
    }
    return freed;
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

const numberOf = (row: Record<string, unknown> | undefined): number => Number(row?.['value'] ?? 0);
