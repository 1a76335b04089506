import { setTimeout as after } from 'node:timers/promises';
import { VantageError, codeOf } from '@vantage/contracts';
import { stateFolderOwner } from '@vantage/local-edge';
import { readConnection } from '@vantage/hub';
import { ControlClient } from '../control/client.ts';

/** Modules have ten seconds to end by themselves. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 50;

/**
 * Stops the runtime of a state folder and waits until its process is gone. Yields its pid, undefined when none ran.
 * @throws VantageError DOWN_TIMEOUT when it does not end, RUNTIME_REFUSED when its owner takes no requests
 */
export async function stopRuntime(stateFolder: string): Promise<number | undefined> {
  const pid = await stateFolderOwner(stateFolder);
  if (pid === undefined) return undefined;
  try {
    await (await ControlClient.open(stateFolder)).stop();
  } catch (error) {
    // It is just starting or ending, or hangs: the signal that Ctrl-C gives says the same.
    if (codeOf(error) !== 'RUNTIME_NOT_RUNNING' && codeOf(error) !== 'RUNTIME_NOT_FOUND') throw error;
    signalTo(pid);
  }
  const deadlineMs = Date.now() + PATIENCE_MS;
  // A process that is no child of ours tells nobody when it ends.
  while ((await stateFolderOwner(stateFolder)) === pid) {
    if (Date.now() > deadlineMs) {
      throw new VantageError('DOWN_TIMEOUT', `the runtime with pid ${pid} does not end; end it with "kill -9 ${pid}"`);
    }
    await after(LOOK_MS);
  }
  return pid;
}

/** @throws VantageError RUNTIME_NOT_FOUND where none was ever started */
export async function requireRuntime(stateFolder: string): Promise<void> {
  await readConnection(stateFolder);
}

function signalTo(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}
