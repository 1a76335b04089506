import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, isTwinObject, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';

/** How much of a module's output is kept. */
export interface LogSizes {
  readonly fileBytes: number;
  /** The newest included. */
  readonly files: number;
}

/** A line of a module's output. */
export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  /** When the runtime got it, in ms since 1970; undefined for one whose note was lost in a crash. */
  readonly timeMs: number | undefined;
  readonly line: string;
}

const DEFAULT_SIZES: LogSizes = { fileBytes: 4 * 1024 * 1024, files: 2 };
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 20;
const MAX_WAITING_CHARS = 4 * 1024 * 1024;
/** Of an index: one float64 a line, time in ms times two, plus one for stderr. */
const NOTE_BYTES = 8;

/** The sizes that `HostConfig.LogConfig` of a module asks for (`max-size` such as `10m`, `max-file`), within reason. */
export function logSizes(createOptions: Readonly<Record<string, unknown>>): LogSizes {
  const hostConfig = createOptions['HostConfig'];
  const logConfig = isTwinObject(hostConfig) ? hostConfig['LogConfig'] : undefined;
  const config = isTwinObject(logConfig) && isTwinObject(logConfig['Config']) ? logConfig['Config'] : {};
  const maxSize = config['max-size'];
  const [, number, unit] = /^(\d+)([kmg]?)b?$/i.exec(typeof maxSize === 'string' ? maxSize : '') ?? [];
  const scale = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[(unit ?? '').toLowerCase()] ?? 1;
  const files = Number(config['max-file'] ?? DEFAULT_SIZES.files);
  return {
    fileBytes: number === undefined ? DEFAULT_SIZES.fileBytes : Math.min(Number(number) * scale, MAX_FILE_BYTES),
    files: Number.isInteger(files) && files > 0 ? Math.min(files, MAX_FILES) : DEFAULT_SIZES.files,
  };
}

/**
 * The output of one module in a file, and what was before it in `<file>.1`, `<file>.2` and so on. Beside each lies
 * `<file>.times`: when each line came, and on which stream. Lines that come faster than the disk takes them wait, up to
 * 4 MiB; beyond that the newest are dropped and counted in the file.
 */
export class LogFile {
  readonly #path: string;
  readonly #logger: Logger;
  #sizes = DEFAULT_SIZES;
  #file: FileHandle | undefined;
  #times: FileHandle | undefined;
  #bytes = 0;
  #waiting: string[] = [];
  #notes: number[] = [];
  #waitingChars = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  get path(): string {
    return this.#path;
  }

  /** Holds for what is written from now on. */
  resize(sizes: LogSizes): void {
    this.#sizes = sizes;
  }

  write(line: string, stream: 'stdout' | 'stderr' = 'stdout'): void {
    if (this.#waitingChars > MAX_WAITING_CHARS) {
      this.#dropped += 1;
      return;
    }
    this.#add(line, stream);
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when everything that was written so far is in the file. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** All lines that are kept, the oldest first. */
  async *entries(): AsyncGenerator<LogEntry> {
    await this.flush();
    for (let age = this.#sizes.files - 1; age >= 0; age -= 1) yield* readEntries(this.#aged(age));
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#closeFiles();
  }

  #add(line: string, stream: 'stdout' | 'stderr'): void {
    this.#waiting.push(line);
    this.#notes.push(Date.now() * 2 + (stream === 'stderr' ? 1 : 0));
    this.#waitingChars += line.length + 1;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        if (this.#dropped > 0) this.#add(`<4> ${this.#dropped} lines were dropped here`, 'stderr');
        this.#dropped = 0;
        const bytes = Buffer.from(`${this.#waiting.join('\n')}\n`);
        const notes = Buffer.from(Float64Array.from(this.#notes).buffer);
        this.#clear();
        await this.#append(bytes, notes);
      }
    } catch (error) {
      this.#logger.warn('the log of a module cannot be written', { path: this.#path, error: messageOf(error) });
      this.#clear();
    }
  }

  #clear(): void {
    this.#waiting = [];
    this.#notes = [];
    this.#waitingChars = 0;
  }

  async #append(bytes: Buffer, notes: Buffer): Promise<void> {
    if (this.#file === undefined) await this.#openFiles();
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#sizes.fileBytes) {
      await this.#closeFiles();
      await this.#rotate();
      await this.#openFiles();
    }
    // The note first: a line without one would shift the times of all that follow.
    await this.#times?.appendFile(notes);
    await this.#file?.appendFile(bytes);
    this.#bytes += bytes.length;
  }

  async #openFiles(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    this.#file = await open(this.#path, 'a', 0o600);
    this.#times = await open(`${this.#path}.times`, 'a', 0o600);
    this.#bytes = (await this.#file.stat()).size;
  }

  async #closeFiles(): Promise<void> {
    await this.#file?.close();
    await this.#times?.close();
    this.#file = undefined;
    this.#times = undefined;
  }

  async #rotate(): Promise<void> {
    const { files } = this.#sizes;
    for (let age = files - 1; age > 0; age -= 1) {
      await move(this.#aged(age - 1), this.#aged(age));
      await move(`${this.#aged(age - 1)}.times`, `${this.#aged(age)}.times`);
    }
    if (files === 1) await Promise.all([this.#path, `${this.#path}.times`].map((path) => rm(path, { force: true })));
  }

  #aged(age: number): string {
    return age === 0 ? this.#path : `${this.#path}.${age}`;
  }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

async function* readEntries(path: string): AsyncGenerator<LogEntry> {
  const [text, notes] = await Promise.all([readOrNothing(path), readOrNothing(`${path}.times`)]);
  const lines = text.toString('utf8').split('\n');
  lines.pop();
  // A runtime that was killed may have noted lines that it did not write: counted from the end both agree again.
  const shift = Math.floor(notes.length / NOTE_BYTES) - lines.length;
  for (const [index, line] of lines.entries()) {
    const at = (index + Math.max(shift, 0)) * NOTE_BYTES;
    const note = at + NOTE_BYTES <= notes.length ? notes.readDoubleLE(at) : undefined;
    yield {
      stream: note !== undefined && note % 2 === 1 ? 'stderr' : 'stdout',
      timeMs: note === undefined ? undefined : Math.floor(note / 2),
      line,
    };
  }
}

async function readOrNothing(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
