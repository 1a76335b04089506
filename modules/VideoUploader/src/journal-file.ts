import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { codeOf, isObject, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';

/** Enough for what the log of the database grows by until it is used again from its start. */
const RESERVE_BYTES = 1 << 20;
/** Results of SQLite, without their extensions. */
const IO_ERROR = 10;
const FULL = 13;
const CANNOT_OPEN = 14;

/**
 * The journal's database on a disk that may fill up. It is the uploads that make room there, so they have to go on: a file
 * beside the database keeps some room, which the database gets when there is none.
 */
export class JournalFile {
  readonly database: DatabaseSync;
  readonly #reserve: string | undefined;
  #isWriting = false;

  private constructor(database: DatabaseSync, reserve?: string) {
    this.database = database;
    this.#reserve = reserve;
    this.keepReserve();
  }

  /**
   * A database that cannot be read is set aside. Where there is no room for one it is in memory: what it does not know is
   * asked of storage.
   *
   * @throws the file system's error when the folder cannot be used
   */
  static open(folder: string, schema: string, logger: Logger): JournalFile {
    const file = path.join(folder, 'uploads.db');
    const reserve = path.join(folder, 'reserve');
    const attempt = (): JournalFile => {
      mkdirSync(folder, { recursive: true });
      return new JournalFile(openDatabase(file, schema), reserve);
    };
    try {
      return attempt();
    } catch (error) {
      if (!isNoRoom(error, folder)) {
        if (codeOf(error) !== 'ERR_SQLITE_ERROR') throw error;
        setAside(file, error, logger);
        return attempt();
      }
      rmSync(reserve, { force: true });
    }
    try {
      return attempt();
    } catch (error) {
      if (!isNoRoom(error, folder)) throw error;
      logger.error(`the journal is in memory until the next start: ${messageOf(error)}`, { folder });
      return new JournalFile(openDatabase(':memory:', schema));
    }
  }

  /** @throws what SQLite says when even the reserve is not enough */
  write(work: () => void): void {
    // Part of a transaction: this is tried again as a whole.
    if (this.#isWriting) return work();
    this.#isWriting = true;
    try {
      try {
        work();
      } catch (error) {
        if (this.#reserve === undefined || !isNoRoom(error, path.dirname(this.#reserve))) throw error;
        rmSync(this.#reserve, { force: true });
        work();
      }
    } finally {
      this.#isWriting = false;
    }
  }

  /** Keeps room again where there is some. */
  keepReserve(): void {
    if (this.#reserve === undefined || existsSync(this.#reserve)) return;
    if (freeBytes(path.dirname(this.#reserve)) < 4 * RESERVE_BYTES) return;
    try {
      writeFileSync(this.#reserve, Buffer.alloc(RESERVE_BYTES));
    } catch {
      rmSync(this.#reserve, { force: true });
    }
  }
}

function openDatabase(file: string, schema: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000;');
    // Pages after which the log is used again from its start.
    database.exec('PRAGMA wal_autocheckpoint = 64;');
    database.exec(schema);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function setAside(file: string, error: unknown, logger: Logger): void {
  const aside = `${file}.corrupt`;
  logger.error(`the journal cannot be read and is set aside: ${messageOf(error)}`, { file: aside });
  for (const end of ['', '-wal', '-shm']) {
    try {
      renameSync(`${file}${end}`, `${aside}${end}`);
    } catch {
      // It was not there.
    }
  }
}

function isNoRoom(error: unknown, folder: string): boolean {
  const result = (isObject(error) ? Number(error['errcode'] ?? 0) : 0) & 0xff;
  if (result === FULL || codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT') return true;
  // Of files beside the database that cannot be made SQLite does not say why.
  return (result === IO_ERROR || result === CANNOT_OPEN) && freeBytes(folder) < RESERVE_BYTES;
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
