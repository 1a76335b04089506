import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { OutputLines, oneLine } from './output-lines.ts';
import { parserEnvironment, type Runtime } from './runtimes.ts';
import type { ParserInfo, ParserLog } from './types.ts';
import { FrameReader, encodeFrame, type Frame, type RequestHeader } from './wire.ts';

/** How long a process that does not answer gets to say where it is. */
const POST_MORTEM_MS = 1000;
/** How long to wait for what an ended process has printed. */
const LAST_WORDS_MS = 200;
/** How long a process may take to end by itself when it is no longer needed. */
const FAREWELL_MS = 500;

export interface ProcessOptions {
  readonly runtime: Runtime;
  readonly file: string;
  /** First frame to the process: what to load and its limits. */
  readonly setup: object;
  /** Passed on as file descriptor 4. */
  readonly tensorFd: number;
  readonly loadDeadlineMs: number;
  readonly log: ParserLog;
}

/** Says why there is no answer. `ended`: the process is gone and another one is needed. */
export class ParserFailure extends Error {
  readonly kind: 'ended' | 'timeout';

  constructor(kind: 'ended' | 'timeout', message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * One process that runs one version of one parser, the leader of a process group of its own. Loads once, then answers
 * one request at a time. It ends with this side: its standard input is a pipe that closes with us.
 */
export class ParserProcess {
  readonly #options: ProcessOptions;
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  readonly #frames = new FrameReader();
  readonly #stderr: OutputLines;
  readonly #exited: Promise<void>;
  #waiting: { resolve: (frame: Frame) => void; reject: (failure: ParserFailure) => void } | undefined;
  #ended: string | undefined;
  #endTimer: NodeJS.Timeout | undefined;
  #dying = false;
  #info: ParserInfo | undefined;
  /** Called once when the process ends without having been told to, and nobody waits for an answer. */
  onIdleEnd: ((reason: string) => void) | undefined;

  private constructor(options: ProcessOptions) {
    this.#options = options;
    const { runtime, file, log } = options;
    this.#child = spawn(runtime.command, [...runtime.arguments], {
      cwd: path.dirname(file),
      env: parserEnvironment(process.env),
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe', options.tensorFd],
    });
    const stdout = new OutputLines((line) => log('info', `parser prints: ${line}`));
    // What faulthandler says after the end is for the reason, not for the log.
    this.#stderr = new OutputLines((line) => !this.#dying && log('warn', `parser prints: ${line}`));
    this.#child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    this.#child.stdin?.on('error', ignore);
    this.#socket = this.#child.stdio[3] as Duplex;
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', ignore);
    this.#socket.once('end', () => {
      this.#endTimer = setTimeout(() => {
        this.#ended ??= 'it closed its connection';
        this.#killGroup();
      }, FAREWELL_MS);
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(`it cannot be started: ${error.message}`, resolve));
      this.#child.once('exit', (code, signal) => {
        clearTimeout(this.#endTimer);
        this.#killGroup();
        // What it printed last is still on its way; but a process that it let go may hold the pipes open for ever.
        const timer = setTimeout(() => finish(), LAST_WORDS_MS);
        const finish = (): void => {
          clearTimeout(timer);
          this.#child.off('close', finish);
          for (const stream of this.#child.stdio) stream?.destroy();
          stdout.end();
          this.#stderr.end();
          this.#end(this.#howItEnded(code, signal), resolve);
        };
        this.#child.once('close', finish);
      });
    });
  }

  /**
   * Starts a process and imports the parser.
   *
   * @param signal ends the attempt
   * @throws Error with the reason when that fails; nothing is left behind then
   */
  static async start(options: ProcessOptions, signal?: AbortSignal): Promise<ParserProcess> {
    const started = new ParserProcess(options);
    const abort = (): void => started.#killGroup();
    signal?.addEventListener('abort', abort);
    try {
      const { header } = await started.#exchange(options.setup, options.loadDeadlineMs);
      if (typeof header['ready'] !== 'object' || header['ready'] === null) throw new Error(loadComplaint(header));
      started.#info = header['ready'] as ParserInfo;
      return started;
    } catch (error) {
      await started.stop();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  get info(): ParserInfo {
    if (this.#info === undefined) throw new Error('not loaded');
    return this.#info;
  }

  /** @throws ParserFailure when there is no answer; the process is gone then */
  request(header: RequestHeader, deadlineMs: number): Promise<Frame> {
    return this.#exchange(header, deadlineMs);
  }

  /** Ends the process and everything that it started. */
  async stop(): Promise<void> {
    this.#dying = true;
    this.onIdleEnd = undefined;
    this.#child.stdin?.destroy();
    this.#socket.destroy();
    const timer = setTimeout(() => this.#killGroup(), FAREWELL_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  async #exchange(header: object, deadlineMs: number): Promise<Frame> {
    if (this.#ended !== undefined) throw new ParserFailure('ended', this.#ended);
    this.#stderr.forget();
    const answer = new Promise<Frame>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#socket.write(encodeFrame(header));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, deadlineMs, undefined);
    });
    try {
      const frame = await Promise.race([answer, late]);
      if (frame !== undefined) return frame;
      answer.catch(ignore);
      throw new ParserFailure('timeout', `no answer within ${deadlineMs} ms${await this.#whereItHangs()}`);
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  #receive(chunk: Buffer): void {
    try {
      const frame = this.#frames.push(chunk);
      if (frame === undefined) return;
      if (this.#waiting === undefined) throw new Error('an answer that nobody asked for');
      this.#waiting.resolve(frame);
    } catch (error) {
      this.#socket.destroy();
      this.#protocolBroken(error);
    }
  }

  #protocolBroken(error: unknown): void {
    this.#dying = true;
    this.#ended ??= `it broke the protocol: ${error instanceof Error ? error.message : 'not a frame'}`;
    this.#killGroup();
  }

  #end(reason: string, done: () => void): void {
    this.#ended ??= reason;
    const failure = new ParserFailure('ended', this.#ended);
    if (this.#waiting !== undefined) this.#waiting.reject(failure);
    else if (!this.#dying) this.onIdleEnd?.(this.#ended);
    done();
  }

  /** Asks the process where it is, then ends it. */
  async #whereItHangs(): Promise<string> {
    this.#dying = true;
    this.#stderr.forget();
    let told: (() => void) | undefined;
    const answered = new Promise<void>((resolve) => (told = resolve));
    const listen = (): void => {
      // A dump arrives in pieces: a line counts once it is whole.
      const { tail } = this.#stderr;
      if (placeIn(tail.slice(0, tail.lastIndexOf('\n') + 1), this.#options.file) !== '') told?.();
    };
    this.#child.stderr?.on('data', listen);
    const timer = setTimeout(() => told?.(), POST_MORTEM_MS);
    const { whereSignal } = this.#options.runtime;
    if (whereSignal !== undefined) this.#child.kill(whereSignal);
    else this.#child.stdin?.write('?');
    await answered;
    clearTimeout(timer);
    this.#child.stderr?.off('data', listen);
    this.#killGroup();
    await this.#exited;
    return placeIn(this.#stderr.tail, this.#options.file);
  }

  #howItEnded(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal === null ? `the process ended with exit code ${code}` : `the process ended by ${signal}`;
    const tail = this.#stderr.tail;
    const place = placeIn(tail, this.#options.file);
    const isOutOfHeap = tail.includes('heap out of memory');
    return oneLine(`${how}${isOutOfHeap ? ', out of memory' : ''}${place}`);
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

/** ` (parser.py line 7 in parse_det_model)`: the innermost place inside the parser's folder that a dump names. */
function placeIn(dump: string, file: string): string {
  const folder = `${path.dirname(file)}/`;
  const places = [
    ...dump.matchAll(/File "(?<name>[^"]+)", line (?<line>\d+)(?: in (?<where>\S+))?/g),
    ...dump.matchAll(/(?:at (?<where>\S+) \()?(?:file:\/\/)?(?<name>\/[^\s:()]+):(?<line>\d+)(?::\d+)?/g),
  ];
  const own = places.find(({ groups }) => groups?.['name']?.startsWith(folder));
  if (own?.groups === undefined) return '';
  const { name, line, where } = own.groups;
  const inside = where === undefined || where === '' ? '' : ` in ${where}`;
  return ` (${path.relative(folder, name ?? '')} line ${line}${inside})`;
}

function loadComplaint(header: Readonly<Record<string, unknown>>): string {
  const reason = typeof header['failed'] === 'string' ? oneLine(header['failed']) : 'it answered something else';
  const missing = header['missing'] as { module: string; apt: string | null; pip: string } | null | undefined;
  if (missing === null || missing === undefined) return reason;
  const apt = missing.apt === null ? '' : `apt-get install ${missing.apt}, or `;
  return `${reason}; install the package: ${apt}pip3 install ${missing.pip}`;
}

function ignore(): void {
  // The end of the process tells the reason.
}
