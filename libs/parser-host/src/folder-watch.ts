import { readdirSync, statSync, unwatchFile, watch, watchFile, type FSWatcher } from 'node:fs';
import path from 'node:path';

const QUIET_MS = 300;
const POLL_MS = 2000;

/**
 * Tells when the code of a parser has changed: its file, or a file of the same kind beside it. Waits until the folder
 * has been quiet for a moment, so that a half-written file is not read. Where the kernel gives no watch, the file
 * itself is looked at every two seconds.
 */
export class FolderWatch {
  readonly #file: string;
  readonly #endings: readonly string[];
  readonly #onChange: () => void;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #seen = '';

  constructor(file: string, endings: readonly string[], onChange: () => void) {
    this.#file = file;
    this.#endings = endings;
    this.#onChange = onChange;
  }

  start(): void {
    this.#seen = this.#fingerprint();
    try {
      this.#watcher = watch(path.dirname(this.#file), { persistent: false }, this.#noticed);
      this.#watcher.on('error', () => this.#poll());
    } catch {
      this.#poll();
    }
  }

  stop(): void {
    this.#watcher?.close();
    unwatchFile(this.#file, this.#noticed);
    clearTimeout(this.#timer);
  }

  #poll(): void {
    this.#watcher?.close();
    watchFile(this.#file, { persistent: false, interval: POLL_MS }, this.#noticed);
  }

  readonly #noticed = (): void => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#compare(), QUIET_MS);
  };

  #compare(): void {
    const now = this.#fingerprint();
    // A file that is being replaced is missing for a moment; its return is another event.
    if (now === this.#seen || now === '') return;
    this.#seen = now;
    this.#onChange();
  }

  /** Names, times and sizes of the code; empty when the parser's file is not there. */
  #fingerprint(): string {
    try {
      statSync(this.#file);
      const folder = path.dirname(this.#file);
      const code = readdirSync(folder).filter((name) => this.#endings.some((ending) => name.endsWith(ending)));
      return [...new Set([path.basename(this.#file), ...code])]
        .sort()
        .map((name) => {
          const stat = statSync(path.join(folder, name), { throwIfNoEntry: false });
          return `${name} ${stat?.ino} ${stat?.mtimeMs} ${stat?.size}`;
        })
        .join('\n');
    } catch {
      return '';
    }
  }
}
