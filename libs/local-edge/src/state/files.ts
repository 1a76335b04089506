import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';

/**
 * Replaces a file as a whole: a reader, and a start after a crash, meet the old content or the new, never a part.
 * Written beside, flushed to the disk, then renamed over.
 */
export async function writeFileAtomic(path: string, content: string | Buffer, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Reads a JSON file of the state folder. A file that is missing, empty, cut short or not what `check` expects yields
 * undefined; a bad one is kept beside as `<name>.corrupt`, so that nothing is lost and the start goes on.
 */
export async function readState<T>(
  path: string,
  check: (value: unknown) => value is T,
  logger: Logger,
): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (check(value)) return value;
    logger.warn('a state file has an unexpected form; it is set aside', { path });
  } catch (error) {
    logger.warn('a state file cannot be read; it is set aside', { path, error: messageOf(error) });
  }
  await rename(path, `${path}.corrupt`);
  return undefined;
}

/**
 * One JSON file that changes often. `save()` resolves when the state as of the call is on disk; calls that come while
 * a write is under way share the next one.
 */
export class JsonFile {
  readonly #path: string;
  readonly #content: () => unknown;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(path: string, content: () => unknown) {
    this.#path = path;
    this.#content = content;
  }

  save(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#running === undefined) return this.#write();
    const running = this.#running;
    this.#next = running.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await Promise.allSettled([this.#running, this.#next]);
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    return this.#write();
  }

  #write(): Promise<void> {
    const writing = writeFileAtomic(this.#path, JSON.stringify(this.#content(), undefined, 1)).finally(() => {
      if (this.#running === writing) this.#running = undefined;
    });
    this.#running = writing;
    return writing;
  }
}
