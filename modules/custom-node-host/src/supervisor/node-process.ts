import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import type { VantageError } from '@vantage/contracts';
import { OutputLines, oneLine } from '@vantage/parser-host';
import { loadFailed, memoryExceeded, processEnded, processHung } from '../errors.ts';
import { JsonLines, type CallResult, type FromProcess, type ProcessSetup, type ToProcess } from './messages.ts';
import type { Runtime } from './runtime.ts';

const CHECK_MS = 200;
/** Beyond the deadline a process that is well has answered the call itself. */
const HANG_GRACE_MS = 500;
/** How long to wait for what an ended process has printed. */
const LAST_WORDS_MS = 200;
const MIB = 1024 * 1024;

/** What a process tells while it runs. */
export interface ProcessEvents {
  onPrint(level: 'info' | 'warn', line: string): void;
  onCall(result: CallResult, ms: number, text: string | undefined): void;
  onCircuit(state: 'open' | 'closed', text: string | undefined): void;
}

export interface NodeProcessOptions {
  readonly runtime: Runtime;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly setup: ProcessSetup;
  readonly startDeadlineMs: number;
  readonly events: ProcessEvents;
}

/**
 * One process that serves one version of one node, the leader of a process group of its own. It is ended when a call
 * hangs or it uses more memory than it may. It ends with this side: its standard input is a pipe that closes with us.
 */
export class NodeProcess {
  readonly #options: NodeProcessOptions;
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  readonly #stderr: OutputLines;
  readonly #exited: Promise<void>;
  readonly #begun = new Map<number, number>();
  #checking: NodeJS.Timeout | undefined;
  #memoryBytes = 0;
  /** Why it was ended from here. */
  #verdict: VantageError | undefined;
  #told = false;
  #onReady: ((ready: { port: number }) => void) | undefined;
  #onFailed: ((error: VantageError) => void) | undefined;
  #port = 0;
  #endedBy: VantageError | undefined;
  #onEnd: ((why: VantageError) => void) | undefined;

  private constructor(options: NodeProcessOptions) {
    this.#options = options;
    const { runtime, cwd, env, events } = options;
    this.#child = spawn(runtime.command, [...runtime.arguments], {
      cwd,
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    });
    const stdout = new OutputLines((line) => events.onPrint('info', line));
    this.#stderr = new OutputLines((line) => events.onPrint('warn', line));
    this.#child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    this.#child.stdin?.on('error', ignore);
    this.#channel = this.#child.stdio[3] as Duplex;
    const lines = new JsonLines<FromProcess>((message) => this.#receive(message));
    this.#channel.on('data', (chunk: Buffer) => lines.push(chunk));
    this.#channel.on('error', ignore);
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(`it cannot be started: ${error.message}`, resolve));
      this.#child.once('exit', (code, signal) => {
        this.#killGroup();
        const finish = (): void => {
          clearTimeout(timer);
          this.#child.off('close', finish);
          for (const stream of this.#child.stdio) stream?.destroy();
          stdout.end();
          this.#stderr.end();
          this.#end(signal === null ? `exit code ${code}` : `signal ${signal}`, resolve);
        };
        // A process that it let go may hold its output open for ever.
        const timer = setTimeout(finish, LAST_WORDS_MS);
        this.#child.once('close', finish);
      });
    });
  }

  /**
   * Starts a process and waits until it serves.
   *
   * @throws VantageError `HOSTED_NODE_LOAD_FAILED` and what the process says; nothing is left behind then
   */
  static async start(options: NodeProcessOptions, signal: AbortSignal): Promise<NodeProcess> {
    const started = new NodeProcess(options);
    const { name } = options.setup;
    let timer: NodeJS.Timeout | undefined;
    const abort = (): void => started.#killGroup();
    signal.addEventListener('abort', abort);
    try {
      await new Promise<void>((resolve, reject) => {
        started.#onFailed = reject;
        started.#onReady = ({ port }) => {
          started.#port = port;
          resolve();
        };
        timer = setTimeout(() => {
          reject(loadFailed(`node ${name} did not start within ${options.startDeadlineMs / 1000} s`));
        }, options.startDeadlineMs);
        started.#channel.write(`${JSON.stringify(options.setup)}\n`);
        if (signal.aborted) abort();
      });
      started.#onFailed = undefined;
      started.#checking = setInterval(() => started.#check(), CHECK_MS);
      started.#checking.unref();
      return started;
    } catch (error) {
      started.#onFailed = undefined;
      await started.stop();
      throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get port(): number {
    return this.#port;
  }

  /** Private memory when it was last looked at. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  get inFlight(): number {
    return this.#begun.size;
  }

  /** Calls once when the process ends without having been told to, also when it has already. */
  whenEnded(listener: (why: VantageError) => void): void {
    this.#onEnd = listener;
    const why = this.#endedBy;
    if (why !== undefined && !this.#told) queueMicrotask(() => listener(why));
  }

  /** Lets go of the port, finishes what is under way, and ends, within `withinMs`. */
  async drain(withinMs = this.#options.setup.drainMs + 1000): Promise<void> {
    this.#told = true;
    this.#channel.write(`${JSON.stringify({ drain: true } satisfies ToProcess)}\n`);
    const timer = setTimeout(() => this.#killGroup(), withinMs);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Ends it and everything that it started, at once. */
  async stop(): Promise<void> {
    this.#told = true;
    this.#killGroup();
    await this.#exited;
  }

  #receive(message: FromProcess): void {
    const { events } = this.#options;
    if ('begin' in message) {
      this.#begun.set(message.begin, performance.now());
    } else if ('end' in message) {
      this.#begun.delete(message.end);
      events.onCall(message.result, message.ms, message.text === undefined ? undefined : oneLine(message.text));
    } else if ('ready' in message) {
      this.#onReady?.(message.ready);
    } else if ('failed' in message) {
      this.#onFailed?.(loadFailed(oneLine(message.failed)));
    } else if ('stuck' in message) {
      this.#condemn(processHung(`node ${this.#options.setup.name}: ${oneLine(message.stuck)}`));
    } else if ('circuit' in message) {
      events.onCircuit(message.circuit, message.text === undefined ? undefined : oneLine(message.text));
    }
  }

  #check(): void {
    const { deadlineMs, name } = this.#options.setup;
    const [oldest] = this.#begun.values();
    if (oldest !== undefined && performance.now() - oldest > deadlineMs + HANG_GRACE_MS) {
      this.#condemn(processHung(`node ${name} hangs: a call did not come back within ${deadlineMs} ms`));
    }
    void this.#checkMemory();
  }

  async #checkMemory(): Promise<void> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8').catch(() => '');
    const kilobytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    // Not the shared part: pictures that travel in shared memory belong to nobody alone.
    this.#memoryBytes = (kilobytes('RssAnon') + kilobytes('VmSwap')) * 1024;
    const { memoryMiB, name } = this.#options.setup;
    if (this.#memoryBytes <= memoryMiB * MIB) return;
    const used = Math.ceil(this.#memoryBytes / MIB);
    this.#condemn(memoryExceeded(`node ${name} uses ${used} MiB, more than its memoryMiB of ${memoryMiB}`));
  }

  #condemn(why: VantageError): void {
    if (this.#told) return;
    this.#verdict ??= why;
    this.#killGroup();
  }

  #end(how: string, done: () => void): void {
    clearInterval(this.#checking);
    const { name, memoryMiB } = this.#options.setup;
    const isOutOfHeap = /heap out of memory|MemoryError|std::bad_alloc/.test(this.#stderr.tail);
    const last = lastLine(this.#stderr.tail);
    const why =
      this.#verdict ??
      (isOutOfHeap
        ? memoryExceeded(`node ${name} ran out of memory: its memoryMiB is ${memoryMiB}`)
        : processEnded(`the process of node ${name} ended (${how})${last === '' ? '' : `: ${last}`}`));
    if (this.#onFailed !== undefined) this.#onFailed(why);
    else if (!this.#told) this.#onEnd?.(why);
    this.#endedBy = why;
    done();
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It and everything that it started are gone already.
    }
  }
}

/** What a dying program says last is mostly the error. */
function lastLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const error = lines.findLast((line) => /^[A-Z]\w*(Error|Exception|Interrupt)\b/.test(line));
  return oneLine(error ?? lines.findLast((line) => line !== '' && !/^Node\.js v/.test(line)) ?? '').slice(0, 200);
}

function ignore(): void {
  // The end of the process tells the reason.
}
