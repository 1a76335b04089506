import type { DatabaseSync } from 'node:sqlite';
import type { Logger } from '@vantage/observability';
import type { ClipFacts } from './clips/clip-facts.ts';
import type { FileKind } from './clips/clip-names.ts';
import { JournalFile } from './journal-file.ts';

/**
 * What becomes of a file: `seen` -> `uploading` -> `stored` (storage has confirmed it) -> `announced` (a JSON only) ->
 * `deleted`. `removed`: somebody else took it away before it was stored.
 */
export type FileState = 'seen' | 'uploading' | 'stored' | 'announced' | 'deleted' | 'removed';

export interface FileRow {
  readonly path: string;
  readonly kind: FileKind;
  readonly state: FileState;
  readonly size: number;
  readonly mtimeMs: number;
  /** Name of the blob as it is asked for, without the device's. */
  readonly blob: string | undefined;
  /** Name of the blob in the container. */
  readonly stored: string | undefined;
  readonly etag: string | undefined;
  readonly md5: string | undefined;
  readonly blockBytes: number;
  readonly attempts: number;
  readonly error: string | undefined;
  /** Not before this moment. */
  readonly retryAtMs: number;
  readonly changedAtMs: number;
}

export interface Backlog {
  readonly clips: number;
  readonly files: number;
  readonly bytes: number;
  readonly oldestMs: number | undefined;
}

export interface Totals {
  readonly clips: number;
  readonly bytes: number;
  readonly removedByRecorder: number;
  readonly last: string | undefined;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, size INTEGER NOT NULL, mtime REAL NOT NULL,
    blob TEXT, stored TEXT, etag TEXT, md5 TEXT, block INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT, retry REAL NOT NULL DEFAULT 0, changed REAL NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS files_by_state ON files (state, mtime);
  CREATE TABLE IF NOT EXISTS facts (base TEXT PRIMARY KEY, facts TEXT NOT NULL, changed REAL NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS uploads (correlation TEXT PRIMARY KEY, path TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, value INTEGER NOT NULL, text TEXT) STRICT;`;
/** Files that are gone are remembered so far back, for questions and for a file that comes again. */
const MAX_DONE = 20_000;

/**
 * The uploader's memory: a SQLite file, written through before the next step is taken, so that a process killed at any
 * point goes on where it was.
 */
export class Journal {
  readonly #file: JournalFile;
  readonly #database: DatabaseSync;
  readonly #now: () => number;

  private constructor(file: JournalFile, now: () => number) {
    this.#file = file;
    this.#database = file.database;
    this.#now = now;
  }

  /**
   * A journal that cannot be read is set aside, and what it knew is asked of storage again.
   * @throws the file system's error when nothing can be written at all
   */
  static open(folder: string, logger: Logger, now: () => number = Date.now): Journal {
    return new Journal(JournalFile.open(folder, SCHEMA, logger), now);
  }

  close(): void {
    this.#database.close();
  }

  get(file: string): FileRow | undefined {
    const row = this.#database.prepare('SELECT * FROM files WHERE path = ?').get(file);
    return row === undefined ? undefined : rowOf(row);
  }

  /** The rows in these states, the oldest files first. */
  in(states: readonly FileState[], limit = 100_000): FileRow[] {
    const marks = states.map(() => '?').join(', ');
    return this.#database
      .prepare(`SELECT * FROM files WHERE state IN (${marks}) ORDER BY mtime, path LIMIT ?`)
      .all(...states, limit)
      .map(rowOf);
  }

  /** Stored files that may go, so long after that; a JSON only once it is announced. */
  due(changedBeforeMs: number, limit: number): FileRow[] {
    return this.#database
      .prepare(
        `SELECT * FROM files WHERE (state = 'announced' OR (state = 'stored' AND kind <> 'json')) AND changed <= ?
           ORDER BY changed LIMIT ?`,
      )
      .all(changedBeforeMs, limit)
      .map(rowOf);
  }

  /** Takes a file up, or again when another one has come under its name. */
  see(file: string, kind: FileKind, size: number, mtimeMs: number): void {
    this.#run(
      `INSERT INTO files (path, kind, state, size, mtime, changed) VALUES (?, ?, 'seen', ?, ?, ?)
       ON CONFLICT (path) DO UPDATE SET kind = excluded.kind, state = 'seen', size = excluded.size, mtime = excluded.mtime,
         stored = NULL, etag = NULL, md5 = NULL, error = NULL, retry = 0, changed = excluded.changed,
         blob = CASE WHEN files.state IN ('seen', 'uploading') THEN files.blob ELSE NULL END`,
      ...[file, kind, size, mtimeMs, this.#now()],
    );
  }

  uploading(file: string, blob: string, blockBytes: number): void {
    this.#run(
      `UPDATE files SET state = 'uploading', blob = ?, block = ?, attempts = attempts + 1, changed = ? WHERE path = ?`,
      ...[blob, blockBytes, this.#now(), file],
    );
  }

  stored(file: string, kind: FileKind, stored: { name: string; etag: string; md5: string; bytes: number }): void {
    this.#atomically(() => {
      this.#run(
        `UPDATE files SET state = 'stored', stored = ?, etag = ?, md5 = ?, error = NULL, changed = ? WHERE path = ?`,
        ...[stored.name, stored.etag, stored.md5, this.#now(), file],
      );
      this.#add('bytes', stored.bytes);
      if (kind === 'clip') this.#add('clips', 1, file);
    });
  }

  failed(file: string, error: string, retryAtMs: number): void {
    this.#run(`UPDATE files SET error = ?, retry = ?, changed = ? WHERE path = ?`, error, retryAtMs, this.#now(), file);
  }

  move(file: string, state: 'announced' | 'deleted'): void {
    this.#run('UPDATE files SET state = ?, changed = ? WHERE path = ?', state, this.#now(), file);
  }

  /** Gone before it was stored. */
  removed(file: string, kind: FileKind): void {
    this.#atomically(() => {
      this.#run(`UPDATE files SET state = 'removed', changed = ? WHERE path = ?`, this.#now(), file);
      if (kind === 'clip') this.#add('removedByRecorder', 1);
    });
  }

  facts(base: string): ClipFacts | undefined {
    const row = this.#database.prepare('SELECT facts FROM facts WHERE base = ?').get(base);
    return row === undefined ? undefined : (JSON.parse(String(row['facts'])) as ClipFacts);
  }

  keepFacts(base: string, facts: ClipFacts): void {
    this.#run('INSERT OR REPLACE INTO facts VALUES (?, ?, ?)', base, JSON.stringify(facts), this.#now());
  }

  /** An upload that IoT Hub waits to hear the end of. */
  begun(correlationId: string, file: string): void {
    this.#run('INSERT OR REPLACE INTO uploads VALUES (?, ?)', correlationId, file);
  }

  ended(correlationId: string): void {
    this.#run('DELETE FROM uploads WHERE correlation = ?', correlationId);
  }

  openUploads(): { readonly correlationId: string; readonly path: string }[] {
    const rows = this.#database.prepare('SELECT * FROM uploads').all();
    return rows.map((row) => ({ correlationId: String(row['correlation']), path: String(row['path']) }));
  }

  backlog(): Backlog {
    const row = this.#database
      .prepare(
        `SELECT COUNT(*) AS files, COALESCE(SUM(kind = 'clip'), 0) AS clips, COALESCE(SUM(size), 0) AS bytes,
           MIN(mtime) AS oldest FROM files WHERE state IN ('seen', 'uploading')`,
      )
      .get();
    const oldest = row?.['oldest'];
    return {
      files: Number(row?.['files'] ?? 0),
      clips: Number(row?.['clips'] ?? 0),
      bytes: Number(row?.['bytes'] ?? 0),
      oldestMs: typeof oldest === 'number' ? oldest : undefined,
    };
  }

  totals(): Totals {
    const rows = new Map(
      this.#database
        .prepare('SELECT * FROM totals')
        .all()
        .map((row) => [String(row['name']), row]),
    );
    const of = (name: string): number => Number(rows.get(name)?.['value'] ?? 0);
    const last = rows.get('clips')?.['text'];
    return {
      clips: of('clips'),
      bytes: of('bytes'),
      removedByRecorder: of('removedByRecorder'),
      last: typeof last === 'string' ? last : undefined,
    };
  }

  /** Forgets what has long been done, and keeps room for what comes. */
  trim(): void {
    this.#file.keepReserve();
    this.#run(
      `DELETE FROM files WHERE state IN ('deleted', 'removed') AND changed < (SELECT changed FROM files
         WHERE state IN ('deleted', 'removed') ORDER BY changed DESC LIMIT 1 OFFSET ${MAX_DONE})`,
    );
    this.#run(
      `DELETE FROM facts WHERE changed < (SELECT changed FROM facts ORDER BY changed DESC LIMIT 1 OFFSET ${MAX_DONE})`,
    );
  }

  #add(name: string, value: number, text: string | null = null): void {
    this.#run(
      `INSERT INTO totals VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value, text = excluded.text`,
      ...[name, value, text],
    );
  }

  #run(sql: string, ...parameters: (string | number | null)[]): void {
    this.#file.write(() => this.#database.prepare(sql).run(...parameters));
  }

  #atomically(work: () => void): void {
    this.#file.write(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        work();
        this.#database.exec('COMMIT');
      } catch (error) {
        // A full disk may have ended it already.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }
}

function rowOf(row: Record<string, unknown>): FileRow {
  const text = (name: string): string | undefined => (typeof row[name] === 'string' ? row[name] : undefined);
  return {
    path: String(row['path']),
    kind: String(row['kind']) as FileKind,
    state: String(row['state']) as FileState,
    size: Number(row['size']),
    mtimeMs: Number(row['mtime']),
    blob: text('blob'),
    stored: text('stored'),
    etag: text('etag'),
    md5: text('md5'),
    blockBytes: Number(row['block']),
    attempts: Number(row['attempts']),
    error: text('error'),
    retryAtMs: Number(row['retry']),
    changedAtMs: Number(row['changed']),
  };
}
