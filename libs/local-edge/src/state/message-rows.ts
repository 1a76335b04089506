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
  /** The message, when it has several copies; null: this row is all of it. */
  readonly shared: number | null;
  /** Bytes that are free when this copy goes; 0 of a shared one, whose message goes with the last copy. */
  readonly size: number;
}

/** One copy of a message that waits for its target. */
export interface Waiting extends Copy {
  readonly message: HubMessage;
}

/** Nearly every message has one target, so its row is the whole of it; only what several targets share lies apart. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS waiting (
    id INTEGER PRIMARY KEY, target TEXT NOT NULL, priority INTEGER NOT NULL, endpoint TEXT NOT NULL, expires INTEGER,
    shared INTEGER, size INTEGER NOT NULL, head TEXT, body BLOB
  );
  CREATE INDEX IF NOT EXISTS waiting_by_queue ON waiting (target, priority, id, expires);
  CREATE TABLE IF NOT EXISTS shared_messages (
    sequence INTEGER PRIMARY KEY, pending INTEGER NOT NULL, size INTEGER NOT NULL, head TEXT NOT NULL, body BLOB NOT NULL
  );
`;

/** Makes the tables when there are none, and what is asked of them. */
export function openMessageTables(
  database: StateDatabase,
): Record<
  | 'totals'
  | 'lastSequence'
  | 'lengths'
  | 'queues'
  | 'insert'
  | 'insertShared'
  | 'delete'
  | 'deleteRange'
  | 'deleteShared'
  | 'lowerPending'
  | 'shared'
  | 'page'
  | 'expired'
  | 'nextExpiry',
  StatementSync
> {
  database.define(TABLES);
  return {
    totals: database.prepare(`
      SELECT coalesce(max(id), 0) AS lastId, coalesce(sum(size), 0)
        + (SELECT coalesce(sum(size), 0) FROM shared_messages) AS size FROM waiting`),
    lastSequence: database.prepare('SELECT coalesce(max(sequence), 0) AS value FROM shared_messages'),
    lengths: database.prepare(
      'SELECT endpoint, priority, count(*) AS waiting FROM waiting GROUP BY endpoint, priority',
    ),
    queues: database.prepare('SELECT DISTINCT target, priority FROM waiting'),
    insert: database.prepare('INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    insertShared: database.prepare('INSERT INTO shared_messages VALUES (?, ?, ?, ?, ?)'),
    delete: database.prepare('DELETE FROM waiting WHERE id = ?'),
    deleteRange: database.prepare('DELETE FROM waiting WHERE id BETWEEN ? AND ?'),
    deleteShared: database.prepare('DELETE FROM shared_messages WHERE sequence = ? AND pending = 1 RETURNING size'),
    lowerPending: database.prepare('UPDATE shared_messages SET pending = pending - 1 WHERE sequence = ?'),
    shared: database.prepare('SELECT pending, size FROM shared_messages WHERE sequence = ?'),
    page: database.prepare(`
      SELECT w.id, w.target, w.priority, w.endpoint, w.expires, w.shared, w.size,
        coalesce(w.head, s.head) AS head, coalesce(w.body, s.body) AS body
      FROM waiting w LEFT JOIN shared_messages s ON s.sequence = w.shared
      WHERE w.target = ? AND w.priority = ? AND w.id > ? ORDER BY w.id`),
    // The index has all that is asked first, so that no body is read.
    expired: database.prepare(`
      SELECT id, target, priority, endpoint, expires, shared, size FROM waiting WHERE id IN (
        SELECT id FROM waiting INDEXED BY waiting_by_queue WHERE expires <= ? ORDER BY expires LIMIT ?
      ) ORDER BY expires`),
    nextExpiry: database.prepare('SELECT min(expires) AS value FROM waiting INDEXED BY waiting_by_queue'),
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
  const { id, target, priority, endpoint, expires, shared, size } = row;
  return {
    id: Number(id),
    target: String(target),
    endpoint: String(endpoint),
    priority: Number(priority),
    expiresAtMs: expires === null ? null : Number(expires),
    shared: shared === null ? null : Number(shared),
    size: Number(size),
  };
}

/** Ids as runs without a gap: first and last of each. */
export function runsOf(ids: readonly number[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  for (const id of ids.toSorted((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run?.[1] === id - 1) run[1] = id;
    else runs.push([id, id]);
  }
  return runs;
}
