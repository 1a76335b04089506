import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { VantageError } from '@vantage/contracts';
import { NODE_FLAGS } from '../node-flags.ts';

/** A hub for one run, in a process and a state folder of its own. */
export interface OwnHub {
  readonly stateDir: string;
  stop(): Promise<void>;
}

/** @throws VantageError FLEET_HUB_FAILED */
export async function startOwnHub(): Promise<OwnHub> {
  const stateDir = await mkdtemp(path.join(os.tmpdir(), 'vantage-fleet-'));
  const program = path.join(import.meta.dirname, 'hub-process.ts');
  const child = spawn(process.execPath, [...NODE_FLAGS, program, stateDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C is ours to answer: the hub ends after its devices.
    detached: true,
  });
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await closed;
    await rm(stateDir, { recursive: true, force: true });
  };
  const ready = once(createInterface({ input: child.stdout }), 'line').then(() => true);
  if (await Promise.race([ready, closed.then(() => false)])) return { stateDir, stop };
  await stop();
  throw new VantageError('FLEET_HUB_FAILED', 'the hub for the fleet ended while it started; its reason is above');
}
