import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { closeLater } from './nodes.ts';

/** A program of `peers/` in a process of its own. */
export interface Peer {
  readonly pid: number;
  /** Its next line. */
  line(): Promise<string>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export function startPeer(program: string, ...args: string[]): Peer {
  const file = path.resolve(import.meta.dirname, '../peers', program);
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
    // Jest's copy, with what a spec has set.
    env: { ...process.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  closeLater({ stop: kill });
  return {
    pid: child.pid ?? 0,
    line: async () => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${program} ended`);
      return value;
    },
    kill,
  };
}
