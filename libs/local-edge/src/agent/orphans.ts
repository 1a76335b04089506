import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, isTwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { JsonFile, readState } from '../state/files.ts';

interface RunningProcess {
  readonly moduleId: string;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot: with the pid it names a process for good. */
  readonly startTicks: string;
}

/**
 * Remembers the processes of modules on disk, so that those of a runtime that was killed, and that did not notice the
 * end of their standard input, are ended before their successors start. Linux only; elsewhere it remembers nothing.
 */
export class OrphanGuard {
  readonly #path: string;
  readonly #file: JsonFile;
  readonly #logger: Logger;
  #processes = new Map<string, RunningProcess>();

  constructor(stateDir: string, logger: Logger) {
    this.#path = join(stateDir, 'processes.json');
    this.#logger = logger;
    this.#file = new JsonFile(this.#path, () => [...this.#processes.values()]);
  }

  /** Ends what an earlier runtime left behind. */
  async reap(): Promise<void> {
    for (const left of (await readState(this.#path, isProcessList, this.#logger)) ?? []) {
      if ((await startTicks(left.pid)) !== left.startTicks) continue;
      this.#logger.warn('a module of an earlier run is still there; it is ended', {
        module: left.moduleId,
        pid: left.pid,
      });
      try {
        process.kill(-left.pid, 'SIGKILL');
      } catch (error) {
        if (codeOf(error) !== 'ESRCH' && codeOf(error) !== 'EPERM') throw error;
      }
    }
  }

  async started(moduleId: string, pid: number): Promise<void> {
    const ticks = await startTicks(pid);
    if (ticks === undefined) return;
    this.#processes.set(moduleId, { moduleId, pid, startTicks: ticks });
    await this.#file.save();
  }

  async ended(moduleId: string): Promise<void> {
    if (this.#processes.delete(moduleId)) await this.#file.save();
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

function isProcessList(value: unknown): value is RunningProcess[] {
  return (
    Array.isArray(value) &&
    value.every((item) => isTwinObject(item) && Number.isInteger(item['pid']) && typeof item['startTicks'] === 'string')
  );
}
