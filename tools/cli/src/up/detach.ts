import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { VantageError, codeOf } from '@vantage/contracts';
import type { EdgeStatus } from '@vantage/local-edge';
import { ControlClient } from '../control/client.ts';
import { renderStatus } from '../status/render.ts';
import { untilSignal } from '../until-signal.ts';
import { requireFree } from './require-free.ts';
import type { UpOptions } from './up.ts';

/** A module that is not there by then is reported, not waited for. */
const PATIENCE_MS = 60_000;
/** The Player's page may have to be made first. */
const PLAYER_MS = 5000;
const LOOK_MS = 200;

/**
 * Runs this very command again without `--detach`, in the background, its output in `up.log` of the state folder.
 * Resolves when its modules are connected, and prints how it is.
 * @throws VantageError UP_FAILED with what it said when it ends before, EDGE_STATE_IN_USE
 */
export async function upDetached({ state, player }: Pick<UpOptions, 'state' | 'player'>): Promise<void> {
  const stateDir = path.resolve(state);
  // Its output would else be written over.
  await requireFree(stateDir);
  mkdirSync(stateDir, { recursive: true });
  const log = path.join(stateDir, 'up.log');
  const file = openSync(log, 'w', 0o600);
  const args = process.argv.slice(1).filter((arg) => arg !== '--detach' && arg !== '-d');
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    stdio: ['ignore', file, file],
  });
  closeSync(file);
  await once(child, 'spawn');
  const end = untilSignal();
  const lives = (): boolean => child.exitCode === null && child.signalCode === null;
  try {
    const seen = await untilThere(stateDir, child.pid ?? 0, player !== false, () => lives() && !end.signal.aborted);
    // Who takes it back before it is there wants nothing to be left of it.
    if (end.signal.aborted && lives()) {
      child.kill('SIGTERM');
      await once(child, 'exit');
      throw new VantageError('UP_FAILED', 'stopped before all modules were connected; nothing runs');
    }
    if (seen === undefined) throw new VantageError('UP_FAILED', lastWords(log));
    const { status, playerUrl } = seen;
    process.stdout.write(
      `${renderStatus(status, Date.now(), playerUrl)}\n\n"vantage down" ends it; its output is in ${log}\n`,
    );
    const absent = status.modules.filter((module) => !isThere(module)).map(({ id }) => id);
    if (absent.length > 0) process.stderr.write(`vantage: it runs, but not yet connected: ${absent.join(', ')}\n`);
  } finally {
    end.release();
    child.unref();
  }
}

/** Undefined when the process ended. Its status comes through its API: it tells us nothing by itself. */
async function untilThere(
  stateDir: string,
  pid: number,
  hasPlayer: boolean,
  lives: () => boolean,
): Promise<Seen | undefined> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  let connectedMs: number | undefined;
  let seen: Seen | undefined;
  while (lives()) {
    const modules = seen?.status.modules ?? [];
    const nowMs = Date.now();
    if (modules.length > 0 && modules.every(isThere)) connectedMs ??= nowMs;
    const isWhole = !hasPlayer || seen?.playerUrl !== undefined || nowMs - (connectedMs ?? nowMs) > PLAYER_MS;
    if (modules.length > 0 && (nowMs > deadlineMs || (connectedMs !== undefined && isWhole))) return seen;
    await after(LOOK_MS);
    seen = await look(stateDir, pid);
  }
  return undefined;
}

interface Seen {
  readonly status: EdgeStatus;
  readonly playerUrl: string | undefined;
}

/** Undefined while the API is not there, or is the one of an earlier run. */
async function look(stateDir: string, pid: number): Promise<Seen | undefined> {
  try {
    const client = await ControlClient.open(stateDir);
    if (client.connection.pid !== pid) return undefined;
    return { status: await client.status(), playerUrl: client.connection.playerUrl };
  } catch (error) {
    if (codeOf(error) === 'RUNTIME_NOT_FOUND' || codeOf(error) === 'RUNTIME_NOT_RUNNING') return undefined;
    throw error;
  }
}

function isThere({ status, connection }: EdgeStatus['modules'][number]): boolean {
  return status === 'running' && connection?.status === 'Connected';
}

/** The sentence with which `vantage up` ended. */
function lastWords(log: string): string {
  const said = readFileSync(log, 'utf8')
    .split('\n')
    .findLast((line) => line.startsWith('vantage: '));
  return said?.slice('vantage: '.length) ?? `"vantage up" ended; see ${log}`;
}
