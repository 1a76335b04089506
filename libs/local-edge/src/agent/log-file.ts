import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';

const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * The output of one module in a file, and the part before it in `<file>.1`; together at most 8 MiB. Lines that come
 * faster than the disk takes them wait, up to 4 MiB; beyond that the newest are dropped and counted in the file.
 */
export class LogFile {
  readonly #path: string;
  readonly #logger: Logger;
  #file: FileHandle | undefined;
  #bytes = 0;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  get path(): string {
    return this.#path;
  }

  write(line: string): void {
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length + 1;
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when everything that was written so far is in the file. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
    this.#file = undefined;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        if (this.#dropped > 0) this.#waiting.push(`<4> ${this.#dropped} lines were dropped here`);
        this.#dropped = 0;
        const bytes = Buffer.from(`${this.#waiting.join('\n')}\n`);
        this.#waiting = [];
        this.#waitingBytes = 0;
        await this.#append(bytes);
      }
    } catch (error) {
      this.#logger.warn('the log of a module cannot be written', { path: this.#path, error: messageOf(error) });
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
  }

  async #append(bytes: Buffer): Promise<void> {
    if (this.#file === undefined) {
      await mkdir(dirname(this.#path), { recursive: true });
      this.#file = await open(this.#path, 'a', 0o600);
      this.#bytes = (await this.#file.stat()).size;
    }
    if (this.#bytes > 0 && this.#bytes + bytes.length > MAX_FILE_BYTES) {
      await this.#file.close();
      this.#file = undefined;
      await rename(this.#path, `${this.#path}.1`);
      this.#file = await open(this.#path, 'a', 0o600);
      this.#bytes = 0;
    }
    await this.#file.appendFile(bytes);
    this.#bytes += bytes.length;
  }
}
