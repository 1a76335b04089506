import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** How one client reaches a broker. */
export interface ClientLogin {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
}

/** A broker in its own process, with two clients and one way from the first to the second. */
export interface BrokerInfo {
  readonly port: number;
  /** PEM text. */
  readonly ca: string;
  readonly sender: ClientLogin & { readonly topic: string };
  readonly receiver: ClientLogin & { readonly filter: string };
}

export interface Broker {
  readonly info: BrokerInfo;
  stop(): Promise<void>;
}

/** Starts a program of this folder; it prints its {@link BrokerInfo} as one line and ends with its standard input. */
export async function startBroker(program: 'hub-process.ts' | 'aedes-process.ts'): Promise<Broker> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-bench-'));
  const args = [...process.execArgv, path.join(import.meta.dirname, program), folder];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await closed;
    await rm(folder, { recursive: true, force: true });
  };
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text));
  const text = await Promise.race([line, closed.then(() => undefined)]);
  if (text === undefined) {
    await stop();
    throw new Error(`${program} ended at its start`);
  }
  return { info: JSON.parse(text) as BrokerInfo, stop };
}
