import { isTwinObject } from '@vantage/contracts';
import type { StateDatabase } from '../state/database.ts';
import { systemProperties, type HubMessage, type UpstreamMessage } from './message.ts';

/** How much is kept of what left for the cloud; the oldest goes first. */
export interface UpstreamRetention {
  /** Default 100 000. */
  readonly maxMessages: number;
  /** Default 128 MiB. */
  readonly maxBytes: number;
}

const DEFAULT_RETENTION: UpstreamRetention = { maxMessages: 100_000, maxBytes: 128 * 1024 * 1024 };
const READ_AT_ONCE = 100;

/**
 * The messages that arrived in the cloud, as the event endpoint of an IoT Hub keeps them: numbered, for a while, for
 * any number of readers. The numbers go on over restarts.
 */
export class UpstreamStore {
  readonly #retention: UpstreamRetention;
  readonly #sql: ReturnType<typeof openTable>;
  #lastSequence: number;
  #count: number;
  #bytes: number;

  constructor(database: StateDatabase, retention: Partial<UpstreamRetention> = {}) {
    this.#retention = { ...DEFAULT_RETENTION, ...retention };
    this.#sql = openTable(database);
    const row = this.#sql.totals.get();
    this.#lastSequence = Number(row?.['last'] ?? 0);
    this.#count = Number(row?.['count'] ?? 0);
    this.#bytes = Number(row?.['bytes'] ?? 0);
  }

  /** The number of the newest message, ever; 0 when there was none. */
  get lastSequence(): number {
    return this.#lastSequence;
  }

  /**
   * Adds messages and lets the oldest go. To be called within a transaction of the database; `committed` of what it
   * yields is to be called after.
   */
  append(messages: readonly HubMessage[], nowMs: number): { arrived: UpstreamMessage[]; committed(): void } {
    const arrived: UpstreamMessage[] = [];
    let last = this.#lastSequence;
    let count = this.#count;
    let bytes = this.#bytes;
    for (const message of messages) {
      const item = toUpstream(message, ++last, new Date(nowMs).toISOString());
      const { body, ...head } = item;
      const text = JSON.stringify(head);
      this.#sql.insert.run(last, text.length + body.length, text, body);
      count += 1;
      bytes += text.length + body.length;
      arrived.push(item);
    }
    // The newest stays in any case: numbering goes on from it.
    while (count > 1 && (count > this.#retention.maxMessages || bytes > this.#retention.maxBytes)) {
      bytes -= Number(this.#sql.removeOldest.get()?.['size'] ?? 0);
      count -= 1;
    }
    return {
      arrived,
      committed: () => {
        this.#lastSequence = last;
        this.#count = count;
        this.#bytes = bytes;
      },
    };
  }

  /** The kept messages after a sequence, the oldest first, at most so many that memory does not mind. */
  after(sequence: number): UpstreamMessage[] {
    return this.#sql.after.all(sequence, READ_AT_ONCE).flatMap(({ head, body }) => {
      const parsed: unknown = JSON.parse(String(head));
      if (!isTwinObject(parsed) || !(body instanceof Uint8Array)) return [];
      return [{ ...(parsed as unknown as Omit<UpstreamMessage, 'body'>), body: Buffer.from(body) }];
    });
  }
}

/** For a line of JSON: text stays text, so that people can read it; other bodies become base64. */
export function upstreamJson({ body, ...rest }: UpstreamMessage): Record<string, unknown> {
  const text = body.toString('utf8');
  return Buffer.from(text, 'utf8').equals(body)
    ? { ...rest, body: text }
    : { ...rest, bodyBase64: body.toString('base64') };
}

function openTable(database: StateDatabase) {
  database.define(
    'CREATE TABLE IF NOT EXISTS upstream (sequence INTEGER PRIMARY KEY, size INTEGER NOT NULL, head TEXT NOT NULL, body BLOB NOT NULL)',
  );
  return {
    totals: database.prepare('SELECT max(sequence) AS last, count(*) AS count, sum(size) AS bytes FROM upstream'),
    insert: database.prepare('INSERT INTO upstream VALUES (?, ?, ?, ?)'),
    removeOldest: database.prepare(
      'DELETE FROM upstream WHERE sequence = (SELECT min(sequence) FROM upstream) RETURNING size',
    ),
    after: database.prepare('SELECT head, body FROM upstream WHERE sequence > ? ORDER BY sequence LIMIT ?'),
  };
}

function toUpstream(message: HubMessage, sequence: number, enqueuedTimeUtc: string): UpstreamMessage {
  const { cid, ...system } = systemProperties(message);
  return {
    sequence,
    id: message.id,
    enqueuedTimeUtc,
    deviceId: message.deviceId,
    moduleId: message.moduleId,
    output: message.output,
    properties: message.properties,
    systemProperties: { ...system, ...(cid === undefined ? {} : { correlationId: cid }) },
    body: message.body,
  };
}
