import { readFile } from 'node:fs/promises';
import { codeOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { StateDatabase } from '../state/database.ts';

/**
 * Remembers the processes of modules on disk, so that those of a runtime that was killed, and that did not notice the
 * end of their standard input, are ended before their successors start. Linux only; elsewhere it remembers nothing.
 */
export class OrphanGuard {
  readonly #database: StateDatabase;
  readonly #logger: Logger;

  constructor(database: StateDatabase, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
    // With its start time in clock ticks since boot a pid names a process for good.
    database.define(
      'CREATE TABLE IF NOT EXISTS module_processes (pid INTEGER PRIMARY KEY, module TEXT NOT NULL, start_ticks TEXT NOT NULL) STRICT',
    );
  }

  /** Ends what an earlier runtime left behind. */
  async reap(): Promise<void> {
    const left = this.#database.prepare('SELECT pid, module, start_ticks FROM module_processes').all();
    for (const { pid, module, start_ticks: ticks } of left) {
      if (typeof pid !== 'number' || (await startTicks(pid)) !== ticks) continue;
      this.#logger.warn('a module of an earlier run is still there; it is ended', { module: String(module), pid });
      try {
        process.kill(-pid, 'SIGKILL');
      } catch (error) {
        if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error;
      }
    }
    const clear = this.#database.prepare('DELETE FROM module_processes');
    await this.#database.write(() => clear.run());
  }

  async started(moduleId: string, pid: number): Promise<void> {
    const ticks = await startTicks(pid);
    if (ticks === undefined) return;
    const insert = this.#database.prepare('INSERT OR REPLACE INTO module_processes VALUES (?, ?, ?)');
    await this.#database.write(() => insert.run(pid, moduleId, ticks));
  }

  async ended(pid: number): Promise<void> {
    const remove = this.#database.prepare('DELETE FROM module_processes WHERE pid = ?');
    await this.#database.write(() => remove.run(pid));
  }
}

async function startTicks(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; field 22 counts from the start, 20 from behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
