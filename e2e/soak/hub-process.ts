import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { FromHub, ToHub } from './protocol.ts';

// Distributes over the union, which Omit alone does not.
type Order = ToHub extends infer Each ? (Each extends ToHub ? Omit<Each, 'id'> : never) : never;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class HubGone extends Error {}

/** The process with the runtime, from outside. */
export class HubProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onLog: (line: string) => void;
  #lastId = 0;
  #ready: (() => void) | undefined;
  readonly ended: Promise<void>;

  private constructor(args: readonly string[], onLog: (line: string) => void) {
    this.#onLog = onLog;
    this.#child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', path.join(import.meta.dirname, 'hub.ts'), ...args],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
    );
    this.#child.on('message', (message: FromHub) => {
      this.#heard(message);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', () => {
        for (const { reject } of this.#waiting.values()) reject(new HubGone('the runtime has ended'));
        this.#waiting.clear();
        resolve();
      });
    });
  }

  static async start(args: readonly string[], onLog: (line: string) => void): Promise<HubProcess> {
    const hub = new HubProcess(args, onLog);
    const ready = new Promise<void>((resolve) => (hub.#ready = resolve));
    await Promise.race([
      ready,
      hub.ended.then(() => {
        throw new HubGone('the runtime did not start');
      }),
    ]);
    return hub;
  }

  /** CPU and the like are asked of the operating system by it. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  order(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, { resolve, reject });
      this.#child.send({ ...order, id: this.#lastId }, (error) => {
        if (error !== null) reject(new HubGone(error.message));
      });
    });
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #heard(message: FromHub): void {
    if (message.saw === 'ready') this.#ready?.();
    else if (message.saw === 'log') this.#onLog(message.line);
    else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.saw === 'done') waiting?.resolve(message.result);
      else waiting?.reject(new Error(message.reason));
    }
  }
}
