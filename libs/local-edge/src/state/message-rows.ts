import type { StatementSync } from 'node:sqlite';
import { isTwinObject } from '@vantage/contracts';
import type { HubMessage } from '../hub/message.ts';
import type { StateDatabase } from './database.ts';

/** One place a message has to go. */
export interface Delivery {
  /** Who takes it: `<device>/<module>`, or `$upstream`. One at a time is on the wire to each. */
  readonly target: string;
  /** `<device>/<module>/<input>`, or `$upstream`. */
  readonly endpoint: string;
  /** Smaller goes first. */
  readonly priority: number;
  /** When it is no longer wanted, milliseconds since 1970 on the hub's clock; null: never. */
  readonly expiresAtMs: number | null;
}

/** One copy of a message, by its row. */
export interface Copy extends Delivery {
  /** Counts up: the order in which copies came in. */
  readonly id: number;
  /** The message this is a copy of. */
  readonly sequence: number;
}

/** One copy of a message that waits for its target. */
export interface Waiting extends Copy {
  readonly message: HubMessage;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY, pending INTEGER NOT NULL, size INTEGER NOT NULL, head TEXT NOT NULL, body BLOB NOT NULL
  );
  CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, target TEXT NOT NULL, priority INTEGER NOT NULL,
    endpoint TEXT NOT NULL, expires INTEGER
  );
  CREATE INDEX IF NOT EXISTS deliveries_by_queue ON deliveries (target, priority, id);
  CREATE INDEX IF NOT EXISTS deliveries_by_expiry ON deliveries (expires) WHERE expires IS NOT NULL;
`;
const COLUMNS = 'd.id, d.sequence, d.target, d.priority, d.endpoint, d.expires, m.head, m.body';

/** Makes the tables when there are none, and what is asked of them. */
export function openMessageTables(
  database: StateDatabase,
): Record<
  | 'totalSize'
  | 'lastSequence'
  | 'lastId'
  | 'lengths'
  | 'queues'
  | 'insertMessage'
  | 'insertDelivery'
  | 'deleteDelivery'
  | 'deleteMessage'
  | 'lowerPending'
  | 'page'
  | 'expired',
  StatementSync
> {
  database.define(TABLES);
  const joined = `SELECT ${COLUMNS} FROM deliveries d JOIN messages m ON m.sequence = d.sequence`;
  return {
    totalSize: database.prepare('SELECT coalesce(sum(size), 0) AS value FROM messages'),
    lastSequence: database.prepare('SELECT coalesce(max(sequence), 0) AS value FROM messages'),
    lastId: database.prepare('SELECT coalesce(max(id), 0) AS value FROM deliveries'),
    lengths: database.prepare(
      'SELECT endpoint, priority, count(*) AS waiting FROM deliveries GROUP BY endpoint, priority',
    ),
    queues: database.prepare('SELECT DISTINCT target, priority FROM deliveries'),
    insertMessage: database.prepare('INSERT INTO messages VALUES (?, ?, ?, ?, ?)'),
    insertDelivery: database.prepare('INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)'),
    deleteDelivery: database.prepare('DELETE FROM deliveries WHERE id = ?'),
    deleteMessage: database.prepare('DELETE FROM messages WHERE sequence = ? AND pending = 1 RETURNING size'),
    lowerPending: database.prepare('UPDATE messages SET pending = pending - 1 WHERE sequence = ?'),
    page: database.prepare(`${joined} WHERE d.target = ? AND d.priority = ? AND d.id > ? ORDER BY d.id`),
    expired: database.prepare('SELECT * FROM deliveries WHERE expires <= ? ORDER BY expires LIMIT ?'),
  };
}

/** Undefined when the row cannot be read. */
export function waitingOf(row: Record<string, unknown>): Waiting | undefined {
  const { head, body } = row;
  if (!(body instanceof Uint8Array)) return undefined;
  let rest: unknown;
  try {
    rest = JSON.parse(String(head));
  } catch {
    return undefined;
  }
  if (!isTwinObject(rest)) return undefined;
  return { ...copyOf(row), message: { ...(rest as unknown as Omit<HubMessage, 'body'>), body: Buffer.from(body) } };
}

export function copyOf(row: Record<string, unknown>): Copy {
  const { id, sequence, target, priority, endpoint, expires } = row;
  return {
    id: Number(id),
    sequence: Number(sequence),
    target: String(target),
    endpoint: String(endpoint),
    priority: Number(priority),
    expiresAtMs: expires === null ? null : Number(expires),
  };
}
