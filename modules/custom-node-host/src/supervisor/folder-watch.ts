import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import path from 'node:path';

const QUIET_MS = 250;
const POLL_MS = 2000;
const MAX_FOLDERS = 200;
const MAX_FILES = 5000;
const LEFT_OUT = new Set(['node_modules', '__pycache__', '.git', '.venv', 'venv']);

/**
 * Tells when files of a folder have changed: code, data, in folders below it too; not what package managers and
 * interpreters put there. Waits until it has been quiet for a moment, so that a half-written file is not read. Where the
 * kernel gives no watch, or the folder is not there, it is looked at every two seconds.
 */
export class FolderWatch {
  readonly #folder: string;
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #quiet: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #seen = '';

  constructor(folder: string, onChange: () => void) {
    this.#folder = folder;
    this.#onChange = onChange;
  }

  start(): void {
    this.#seen = this.#look();
  }

  stop(): void {
    clearTimeout(this.#quiet);
    clearInterval(this.#poll);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  readonly #noticed = (): void => {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      const now = this.#look();
      if (now === this.#seen) return;
      this.#seen = now;
      this.#onChange();
    }, QUIET_MS);
  };

  /** Names, times and sizes of the files; watches folders that are new. */
  #look(): string {
    const facts: string[] = [];
    const folders = new Set<string>();
    const waiting = [this.#folder];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      if (folders.size >= MAX_FOLDERS || facts.length >= MAX_FILES) break;
      folders.add(folder);
      for (const entry of entriesOf(folder)) {
        const file = path.join(folder, entry.name);
        if (entry.isDirectory()) {
          if (!LEFT_OUT.has(entry.name)) waiting.push(file);
          continue;
        }
        const stats = statSync(file, { throwIfNoEntry: false });
        facts.push(`${file} ${stats?.ino} ${stats?.mtimeMs} ${stats?.size}`);
      }
    }
    this.#watchOnly(folders);
    return facts.sort().join('\n');
  }

  #watchOnly(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, this.#noticed);
        watcher.on('error', () => this.#lookAgain());
        this.#watchers.set(folder, watcher);
      } catch {
        this.#lookAgain();
      }
    }
  }

  #lookAgain(): void {
    this.#poll ??= setInterval(this.#noticed, POLL_MS).unref();
  }
}

function entriesOf(folder: string): { name: string; isDirectory(): boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
