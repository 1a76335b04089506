import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { messageOf } from '@vantage/contracts';
import { messageStoreFull } from '../errors.ts';
import type { HubMessage } from '../hub/message.ts';
import type { Logger } from '@vantage/observability';
import type { Delivery, MessageStore, StoredMessage } from './message-store.ts';

/** Length of the payload, length of its JSON head, checksum of the payload. */
const HEADER_BYTES = 12;
const MAX_RECORD_BYTES = 4 * 1024 * 1024;
const COMPACT_ABOVE_BYTES = 8 * 1024 * 1024;

type Head =
  | {
      readonly op: 'put';
      readonly sequence: number;
      readonly message: Omit<HubMessage, 'body'>;
      readonly deliveries: readonly Delivery[];
    }
  | { readonly op: 'settle'; readonly sequence: number; readonly endpoint: string };

interface Waiting {
  readonly message: HubMessage;
  readonly deliveries: Map<string, Delivery>;
  readonly sizeBytes: number;
}

interface PendingWrite {
  readonly record: Buffer;
  readonly done: ((error?: Error) => void) | undefined;
}

/**
 * A message store in one append-only file, with what waits also in memory.
 *
 * A record is handed to the operating system before `put` resolves (it outlives a killed process, not a power cut,
 * like edgeHub's own store). Records that come while a write is under way go out together in the next. A torn record
 * at the end is cut off at the start. The file is written anew when most of it is settled.
 */
export class MessageJournal implements MessageStore {
  readonly #path: string;
  readonly #limitBytes: number;
  readonly #logger: Logger;
  readonly #waiting = new Map<number, Waiting>();
  #file: FileHandle | undefined;
  #fileBytes = 0;
  #sizeBytes = 0;
  #sequence = 0;
  #queue: PendingWrite[] = [];
  #flushing: Promise<void> | undefined;

  /** `limitBytes`: the most that may wait; beyond it `put` refuses, so that nothing accepted is ever dropped. */
  constructor(stateDir: string, limitBytes: number, logger: Logger) {
    this.#path = join(stateDir, 'messages.journal');
    this.#limitBytes = limitBytes;
    this.#logger = logger;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async open(): Promise<readonly StoredMessage[]> {
    await this.#load();
    await this.#compact();
    return [...this.#waiting].map(([sequence, item]) => ({
      sequence,
      message: item.message,
      deliveries: [...item.deliveries.values()],
    }));
  }

  put(message: HubMessage, deliveries: readonly Delivery[]): Promise<StoredMessage> {
    const sequence = this.#sequence + 1;
    const record = putRecord(sequence, message, deliveries);
    if (this.#sizeBytes + record.length > this.#limitBytes) return Promise.reject(messageStoreFull(this.#limitBytes));
    this.#sequence = sequence;
    this.#remember(sequence, message, deliveries, record.length);
    return new Promise((resolve, reject) => {
      this.#append(record, (error) => {
        if (error === undefined) resolve({ sequence, message, deliveries });
        else {
          this.#forget(sequence);
          reject(error);
        }
      });
    });
  }

  settle(sequence: number, endpoint: string): void {
    const item = this.#waiting.get(sequence);
    if (item?.deliveries.delete(endpoint) !== true) return;
    if (item.deliveries.size === 0) this.#forget(sequence);
    this.#append(encode({ op: 'settle', sequence, endpoint }, Buffer.alloc(0)), undefined);
  }

  async close(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    await this.#file?.close();
    this.#file = undefined;
  }

  #remember(sequence: number, message: HubMessage, deliveries: readonly Delivery[], sizeBytes: number): void {
    const wanted = new Map(deliveries.map((delivery) => [delivery.endpoint, delivery]));
    this.#waiting.set(sequence, { message, deliveries: wanted, sizeBytes });
    this.#sizeBytes += sizeBytes;
  }

  #forget(sequence: number): void {
    this.#sizeBytes -= this.#waiting.get(sequence)?.sizeBytes ?? 0;
    this.#waiting.delete(sequence);
  }

  #append(record: Buffer, done: PendingWrite['done']): void {
    this.#queue.push({ record, done });
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined;
    });
  }

  async #flush(): Promise<void> {
    // Let everything that arrives in this turn of the event loop join the first write.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        if (this.#file === undefined) throw new Error('the message journal is closed');
        const bytes = Buffer.concat(batch.map((item) => item.record));
        await this.#file.appendFile(bytes);
        this.#fileBytes += bytes.length;
        for (const item of batch) item.done?.();
        if (this.#fileBytes > COMPACT_ABOVE_BYTES && this.#fileBytes > 3 * this.#sizeBytes) await this.#compact();
      } catch (error) {
        this.#logger.error('the message journal cannot be written', { path: this.#path, error: messageOf(error) });
        for (const item of batch) item.done?.(error instanceof Error ? error : new Error(messageOf(error)));
      }
    }
  }

  /** Writes what waits to a new file and puts it in the old one's place. */
  async #compact(): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    await rm(temporary, { force: true });
    const fresh = await open(temporary, 'a', 0o600);
    let bytes = 0;
    try {
      for (const [sequence, item] of this.#waiting) {
        const record = putRecord(sequence, item.message, [...item.deliveries.values()]);
        await fresh.appendFile(record);
        bytes += record.length;
      }
      await fresh.sync();
      await rename(temporary, this.#path);
    } catch (error) {
      await fresh.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = fresh;
    this.#fileBytes = bytes;
  }

  async #load(): Promise<void> {
    const file = await open(this.#path, 'a+', 0o600);
    try {
      const header = Buffer.alloc(HEADER_BYTES);
      let offset = 0;
      for (;;) {
        const { bytesRead } = await file.read(header, 0, HEADER_BYTES, offset);
        if (bytesRead === 0) return;
        const length = header.readUInt32BE(0);
        const payload = Buffer.alloc(Math.min(length, MAX_RECORD_BYTES));
        const read =
          bytesRead < HEADER_BYTES ? 0 : (await file.read(payload, 0, payload.length, offset + HEADER_BYTES)).bytesRead;
        if (length > MAX_RECORD_BYTES || read < length || crc32(payload) !== header.readUInt32BE(8)) {
          this.#logger.warn('the message journal ends in a damaged record; it is cut off', {
            path: this.#path,
            offset,
          });
          return;
        }
        this.#apply(payload, header.readUInt32BE(4));
        offset += HEADER_BYTES + length;
      }
    } finally {
      await file.close();
    }
  }

  #apply(payload: Buffer, headBytes: number): void {
    const head = JSON.parse(payload.toString('utf8', 0, headBytes)) as Head;
    this.#sequence = Math.max(this.#sequence, head.sequence);
    if (head.op === 'put') {
      // A record that was queued while the file was written anew stands in it twice.
      if (this.#waiting.has(head.sequence)) return;
      const message = { ...head.message, body: payload.subarray(headBytes) };
      this.#remember(head.sequence, message, head.deliveries, payload.length);
      return;
    }
    const item = this.#waiting.get(head.sequence);
    item?.deliveries.delete(head.endpoint);
    if (item?.deliveries.size === 0) this.#forget(head.sequence);
  }
}

function putRecord(sequence: number, { body, ...message }: HubMessage, deliveries: readonly Delivery[]): Buffer {
  return encode({ op: 'put', sequence, message, deliveries }, body);
}

function encode(head: Head, body: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(head));
  const record = Buffer.alloc(HEADER_BYTES + json.length + body.length);
  json.copy(record, HEADER_BYTES);
  body.copy(record, HEADER_BYTES + json.length);
  record.writeUInt32BE(json.length + body.length, 0);
  record.writeUInt32BE(json.length, 4);
  record.writeUInt32BE(crc32(record.subarray(HEADER_BYTES)), 8);
  return record;
}
