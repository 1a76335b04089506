import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf } from '@vantage/contracts';
import { CONTAINER_VOLUMES, isStateEntry, stateFolderOwner } from '@vantage/local-edge';
import { stopRuntime } from '../down/down.ts';

/** Of what `vantage up` itself keeps in the folder of the runtime. */
const OURS = /^(connection\.json(\.part)?|deployment\.sha256|up\.log)$/;

/** Of `vantage model get`: what was downloaded is no state. */
const MODELS = 'models';

const VOLUMES: ReadonlySet<string> = new Set(['volumes', CONTAINER_VOLUMES]);

export interface ResetOptions {
  /** Stop a runtime that uses the folder. */
  readonly force: boolean;
  /** Leave named volumes, of processes and of containers: the modules' own files, clips among them. */
  readonly keepVolumes: boolean;
  /** Asked before anything is removed; false ends it. */
  readonly confirm: (entries: readonly string[]) => Promise<boolean>;
}

/**
 * Removes what the runtime keeps in a state folder; yields what was removed. A folder that holds anything else is left
 * alone altogether: it may be a project, with `logs` and `volumes` of its own.
 *
 * @throws VantageError RESET_REFUSED, RESET_RUNNING
 */
export async function resetState(folder: string, options: ResetOptions): Promise<readonly string[]> {
  const running = await stateFolderOwner(folder);
  if (running !== undefined && !options.force) {
    throw new VantageError(
      'RESET_RUNNING',
      `the runtime with pid ${running} uses ${folder}; stop it with "vantage down" first, or add --force`,
    );
  }
  const entries = await list(folder);
  const foreign = entries.filter((name) => name !== MODELS && !OURS.test(name) && !isStateEntry(name));
  if (foreign.length > 0) {
    const some = foreign.slice(0, 3).join(', ');
    throw new VantageError(
      'RESET_REFUSED',
      `${folder} is not (only) a state folder: it holds ${some}${foreign.length > 3 ? ' and more' : ''}; nothing was removed`,
    );
  }
  const isKept = (name: string): boolean => name === MODELS || (options.keepVolumes && VOLUMES.has(name));
  const removed = entries.filter((name) => !isKept(name));
  if (removed.length === 0 || !(await options.confirm(removed))) return [];
  if (running !== undefined) await stopRuntime(folder);
  for (const name of await list(folder)) {
    if (!isKept(name)) await rm(path.join(folder, name), { recursive: true, force: true });
  }
  await rmdir(folder).catch(() => undefined);
  return removed;
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    if (codeOf(error) === 'ENOTDIR') throw new VantageError('RESET_REFUSED', `${folder} is no folder`);
    throw error;
  }
}
