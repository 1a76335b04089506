import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { isObject, messageOf } from '@vantage/contracts';
import { isSecretKey, redact } from '@vantage/observability';

const PROGRAM = fileURLToPath(new URL('sidecar.py', import.meta.url));
const MAX_MESSAGE = 4 * 1024 * 1024;
const TAIL_CHARACTERS = 4096;
/** How long a process may take to end by itself when it is no longer needed. */
const FAREWELL_MS = 1000;

export type Message = Readonly<Record<string, unknown>>;

/** The process is gone, or was ended because it did not answer in time. */
export class SidecarEnded extends Error {}

/**
 * One process that runs one model. It answers one message at a time, and ends with this side: its standard input closes
 * with us.
 */
export class SidecarProcess {
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  readonly #exited: Promise<void>;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #tail = '';
  #ended: SidecarEnded | undefined;
  #waiting: { resolve: (message: Message) => void; reject: (error: SidecarEnded) => void } | undefined;
  /** Called once when the process ends while nobody waits for an answer. */
  onIdleEnd: ((error: SidecarEnded) => void) | undefined;

  /** @param memoryFd shared memory that the process inherits */
  constructor(python: string, memoryFd: number, env: NodeJS.ProcessEnv = process.env) {
    this.#child = spawn(python, ['-B', '-u', PROGRAM], {
      env: environment(env),
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', memoryFd],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#tail = (this.#tail + chunk.toString()).slice(-TAIL_CHARACTERS)));
    }
    // A pipe that breaks is told by the end of the process.
    for (const stream of this.#child.stdio) stream?.on('error', () => undefined);
    this.#socket = this.#child.stdio[3] as Duplex;
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#end(`it cannot be started: ${error.message}`);
        resolve();
      });
      this.#child.once('close', (code, signal) => {
        this.#end(`it ended with ${signal ?? `status ${code ?? 'unknown'}`}${this.lastWords(': ')}`);
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** The last line that the process printed, without credentials, after `before`; empty if there is none. */
  lastWords(before: string): string {
    const line = this.#tail
      .split('\n')
      .map((one) => one.trim())
      .filter((one) => one !== '')
      .at(-1);
    return line === undefined ? '' : `${before}${redact(line).slice(0, 500)}`;
  }

  /**
   * Sends a message and waits for its answer; one at a time.
   *
   * @throws SidecarEnded when there is none within the deadline; the process is gone then
   */
  exchange(message: Message, deadlineMs: number): Promise<Message> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const body = Buffer.from(JSON.stringify(message));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => this.#kill(`it did not answer within ${deadlineMs} ms`), deadlineMs);
      this.#waiting = {
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#socket.write(Buffer.concat([length, body]));
    });
  }

  /** Ends the process; resolves when it is gone. */
  async stop(): Promise<void> {
    this.onIdleEnd = undefined;
    this.#child.stdin?.destroy();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), FAREWELL_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < 4) return;
    const all = Buffer.concat(this.#received);
    const length = all.readUInt32LE(0);
    if (length > MAX_MESSAGE) {
      this.#kill(`it sent a message of ${length} bytes`);
      return;
    }
    this.#received = [all];
    if (all.length < 4 + length) return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#received = [all.subarray(4 + length)];
    this.#receivedBytes = all.length - 4 - length;
    try {
      const message: unknown = JSON.parse(all.toString('utf8', 4, 4 + length));
      if (!isObject(message)) throw new Error('no object');
      waiting?.resolve(message);
    } catch (error) {
      const reason = `it sent what is no message (${messageOf(error)})`;
      waiting?.reject(new SidecarEnded(reason));
      this.#kill(reason);
    }
  }

  #kill(reason: string): void {
    this.#end(reason);
    this.#child.kill('SIGKILL');
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new SidecarEnded(reason);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.reject(this.#ended);
    else this.onIdleEnd?.(this.#ended);
  }
}

/** Everything but secrets: where libraries, devices and caches are is said there in many ways. */
function environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !isSecretKey(name) && !name.startsWith('IOTEDGE_'));
  return { ...Object.fromEntries(kept), ORT_DISABLE_TELEMETRY: '1', PYTHONIOENCODING: 'utf-8' };
}
