import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, isObject, parseJson, type JsonObject } from '@vantage/contracts';

/** A configuration as it was published. */
export interface Published {
  /** Desired `$version` of the twin it came from. */
  readonly version: number;
  readonly components: JsonObject;
}

/**
 * The configuration that was last good, in a file, so that it survives restarts and bad edits. It holds what the twin
 * holds, camera passwords included: the file is readable by its owner only.
 */
export class LastGood {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = path.join(folder, 'controllermodule.last-good.json');
  }

  /**
   * Undefined when there is none yet, or when what is there cannot be read as one: then the twin decides alone.
   *
   * @throws the file system's error when the file is there but cannot be read.
   */
  async read(): Promise<Published | undefined> {
    let text: string;
    try {
      text = await readFile(this.#file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const saved = parseJson(text);
      if (!isObject(saved) || typeof saved['version'] !== 'number' || !isObject(saved['components'])) return undefined;
      return { version: saved['version'], components: saved['components'] as JsonObject };
    } catch {
      return undefined;
    }
  }

  /** Written beside and renamed, so that a power cut leaves the old or the new one. */
  async write(published: Published): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 });
    const beside = `${this.#file}.new`;
    const file = await open(beside, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(published));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, this.#file);
  }
}
