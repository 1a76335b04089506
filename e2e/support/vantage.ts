import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { REPOSITORY } from './assets.ts';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const CLI = path.join(REPOSITORY, 'tools/cli/bin/vantage.mjs');

/** Runs the `vantage` command to its end, as a user would. */
export function vantage(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = start(args, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })));
}

/** A `vantage` command that goes on, read line by line as JSON. */
export class RunningVantage {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[] = [];
  stderr = '';
  readonly #waiters = new Set<() => void>();

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = start(args, env);
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Record<string, unknown>);
      for (const wake of this.#waiters) wake();
    });
    this.child.on('close', () => {
      for (const wake of this.#waiters) wake();
    });
  }

  /** The first line from `after` on that fits; fails with what was seen when the command ends or time is up. */
  async line(
    what: string,
    fits: (line: Record<string, unknown>) => boolean,
    { after = 0, timeoutMs = 60_000 } = {},
  ): Promise<Record<string, unknown>> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = this.lines.slice(after).find(fits);
      if (found) return found;
      const ended = this.child.exitCode !== null || this.child.signalCode !== null;
      if (ended || Date.now() > deadline) {
        const seen = this.lines.slice(-15).map((line) => JSON.stringify(line));
        throw new Error(
          `${ended ? 'vantage ended' : 'time is up'} without ${what}; last lines:\n${seen.join('\n')}\n${this.stderr.slice(-3000)}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(wake, Math.max(1, deadline - Date.now()));
        const waiters = this.#waiters;
        function wake(): void {
          clearTimeout(timer);
          waiters.delete(wake);
          resolve();
        }
        waiters.add(wake);
      });
    }
  }

  /** Ends it as Ctrl-C would; resolves with its status. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const closed = new Promise<number | null>((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGINT');
    return closed;
  }
}

function start(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
