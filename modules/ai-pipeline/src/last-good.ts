import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

export interface RememberedConfiguration {
  readonly components: unknown;
  readonly version: number | null;
}

/**
 * The configuration that was last applied, on disk: a start without a network runs it. Holds what the twin holds,
 * credentials included, so the file is readable by its owner only.
 */
export class LastGood {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Undefined when there is none, or when it was only half written. */
  async read(): Promise<RememberedConfiguration | undefined> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#file, 'utf8'));
      if (typeof value !== 'object' || value === null || !('components' in value)) return undefined;
      const version = 'version' in value && typeof value.version === 'number' ? value.version : null;
      return { components: value.components, version };
    } catch {
      return undefined;
    }
  }

  async write(configuration: RememberedConfiguration): Promise<void> {
    await mkdir(path.dirname(this.#file), { recursive: true });
    const hidden = `${this.#file}.part`;
    await writeFile(hidden, JSON.stringify(configuration), { mode: 0o600 });
    await rename(hidden, this.#file);
  }
}
