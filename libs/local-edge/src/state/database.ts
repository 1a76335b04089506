import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { diskFull } from '../errors.ts';

interface PendingWrite {
  readonly change: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Everything the runtime keeps, in one SQLite file, `<stateDir>/edge.db`. Each class that keeps something owns its
 * tables and makes them when it opens.
 *
 * Writes are committed in groups: all that are asked for in one turn of the event loop share a transaction. A promise
 * of {@link write} resolves when its change outlives this process (a power cut may take the last moments, never the
 * file: WAL with `synchronous=NORMAL`).
 */
export class StateDatabase {
  /** An earlier database of this folder was damaged and set aside: what was in it is lost to this one. */
  readonly isReplacement: boolean;
  readonly #sql: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  /** The fault "disk full" is injected here: writes are refused as if SQLite had found no space. */
  readonly #isDiskFull: () => boolean;
  #pending: PendingWrite[] = [];
  #scheduled = false;

  private constructor(sql: DatabaseSync, isReplacement: boolean, isDiskFull: () => boolean) {
    this.#sql = sql;
    this.#begin = sql.prepare('BEGIN IMMEDIATE');
    this.#commit = sql.prepare('COMMIT');
    this.isReplacement = isReplacement;
    this.#isDiskFull = isDiskFull;
  }

  /** Opens or makes the file. One that SQLite cannot read is set aside as `edge.db.corrupt`, and a new one is made. */
  static open(stateDir: string, logger: Logger, isDiskFull: () => boolean = () => false): StateDatabase {
    mkdirSync(stateDir, { recursive: true });
    const path = join(stateDir, 'edge.db');
    try {
      // SQLite takes an empty file for a new database; here it is one whose content was lost.
      if (statSync(path, { throwIfNoEntry: false })?.size === 0) throw new Error('the file is empty');
      return new StateDatabase(openChecked(path), existsSync(`${path}.corrupt`), isDiskFull);
    } catch (error) {
      logger.warn('the state database cannot be read; it is set aside', { path, error: messageOf(error) });
      for (const suffix of ['', '-wal', '-shm']) setAside(path + suffix);
      return new StateDatabase(openChecked(path), existsSync(`${path}.corrupt`), isDiskFull);
    }
  }

  /** Runs DDL; for the tables of the class that calls. */
  define(ddl: string): void {
    this.#sql.exec(ddl);
  }

  prepare(sql: string): StatementSync {
    return this.#sql.prepare(sql);
  }

  /**
   * Runs `change` (synchronous, only statements of this database) in the next transaction. Resolves when it is
   * committed; when it throws, it alone is undone and rejected. Calls are carried out in their order.
   */
  write(change: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ change, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => {
        this.flush();
      });
    });
  }

  /** Commits what waits, now. */
  flush(): void {
    this.#scheduled = false;
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    try {
      this.#transaction(batch.map((item) => item.change));
    } catch {
      for (const item of batch) this.#runAlone(item);
      return;
    }
    for (const item of batch) item.resolve();
  }

  close(): void {
    this.flush();
    if (this.#sql.isOpen) this.#sql.close();
  }

  #runAlone({ change, resolve, reject }: PendingWrite): void {
    try {
      this.#transaction([change]);
      resolve();
    } catch (error) {
      reject(/database or disk is full/i.test(messageOf(error)) ? diskFull(error) : error);
    }
  }

  #transaction(changes: readonly (() => void)[]): void {
    if (this.#isDiskFull()) throw diskFull();
    this.#begin.run();
    try {
      for (const change of changes) change();
      this.#commit.run();
    } catch (error) {
      if (this.#sql.isTransaction) this.#sql.exec('ROLLBACK');
      throw error;
    }
  }
}

function openChecked(path: string): DatabaseSync {
  const sql = new DatabaseSync(path);
  try {
    sql.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 5000; PRAGMA wal_autocheckpoint = 4000',
    );
    const result = sql.prepare('PRAGMA quick_check(1)').get();
    if (result?.['quick_check'] !== 'ok') throw new Error(`quick_check: ${String(result?.['quick_check'])}`);
    return sql;
  } catch (error) {
    sql.close();
    throw error;
  }
}

function setAside(path: string): void {
  try {
    renameSync(path, `${path}.corrupt`);
  } catch {
    // The -wal and -shm files are not always there.
  }
}
