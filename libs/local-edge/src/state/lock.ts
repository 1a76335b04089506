import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@vantage/contracts';
import { stateFolderInUse } from '../errors.ts';

/** The right to use a state folder, held by one process at a time. */
export interface StateLock {
  release(): Promise<void>;
}

/** State folders that this very process holds: its pid alone cannot tell two runtimes in one process apart. */
const held = new Set<string>();

/**
 * Takes the folder for this process.
 *
 * The lock is a file with our pid, put in place with `link`, which fails when the name is taken. A lock whose process
 * is gone is taken over; a living one throws EDGE_STATE_IN_USE with that process's pid.
 */
export async function lockStateFolder(stateDir: string): Promise<StateLock> {
  await mkdir(stateDir, { recursive: true });
  const path = join(stateDir, 'lock');
  if (held.has(path)) throw stateFolderInUse(stateDir, process.pid);
  held.add(path);
  const mine = `${path}.${process.pid}`;
  try {
    await writeFile(mine, `${JSON.stringify({ pid: process.pid, bootId: await bootId() })}\n`);
    for (;;) {
      try {
        await link(mine, path);
        break;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const owner = await readOwner(path);
      if (owner !== undefined) throw stateFolderInUse(stateDir, owner);
      await rm(path, { force: true });
    }
  } catch (error) {
    held.delete(path);
    throw error;
  } finally {
    await rm(mine, { force: true });
  }
  let released = false;
  return {
    async release(): Promise<void> {
      if (released) return;
      released = true;
      held.delete(path);
      await rm(path, { force: true });
    },
  };
}

/** The pid of the process that uses the folder; undefined when nobody does. */
export async function stateFolderOwner(stateDir: string): Promise<number | undefined> {
  const path = join(stateDir, 'lock');
  return held.has(path) ? process.pid : readOwner(path);
}

/**
 * For whoever has much to do before the runtime itself would look: refuses as its start would.
 * @throws VantageError EDGE_STATE_IN_USE
 */
export async function requireFreeStateFolder(stateDir: string): Promise<void> {
  const pid = await stateFolderOwner(stateDir);
  if (pid !== undefined) throw stateFolderInUse(stateDir, pid);
}

/** The pid of the living process that holds the lock; undefined when the lock is stale or unreadable. */
async function readOwner(path: string): Promise<number | undefined> {
  let owner: { pid?: unknown; bootId?: unknown };
  try {
    owner = JSON.parse(await readFile(path, 'utf8')) as typeof owner;
  } catch {
    return undefined;
  }
  const { pid } = owner;
  // Our own pid here is a reused one: what this process holds is in `held`.
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0 || pid === process.pid) return undefined;
  if (owner.bootId !== (await bootId())) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    return codeOf(error) === 'EPERM' ? pid : undefined;
  }
}

/** Changes with each boot of the machine, so that a pid of an earlier boot does not count; empty where unknown. */
async function bootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch {
    return '';
  }
}
