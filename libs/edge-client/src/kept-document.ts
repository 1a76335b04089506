import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, parseJson } from '@vantage/contracts';

/**
 * A JSON document that survives restarts, such as the configuration that was last good: a start without a network has
 * it. It may hold camera passwords, so the file is readable by its owner only.
 */
export class KeptDocument<T> {
  readonly #file: string;
  readonly #parse: (value: unknown) => T | undefined;

  /** @param parse undefined for what is not such a document */
  constructor(file: string, parse: (value: unknown) => T | undefined) {
    this.#file = file;
    this.#parse = parse;
  }

  /**
   * Undefined when there is none yet, or when what is there cannot be read as one.
   *
   * @throws the file system's error when the file is there but cannot be read.
   */
  async read(): Promise<T | undefined> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return this.#parse(parseJson(text));
    } catch {
      return undefined;
    }
  }

  /** Written beside and renamed, so that a power cut leaves the old or the new one. */
  async write(document: T): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    const beside = `${this.#file}.new`;
    const file = await open(beside, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(document));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, this.#file);
  }
}
