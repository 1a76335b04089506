import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { RecordingsFolder, type Found } from './clips/recordings.ts';
import type { FileState, Journal } from './journal.ts';
import type { Status } from './status.ts';

const SETTLED: ReadonlySet<FileState> = new Set(['stored', 'announced', 'deleted', 'removed']);
const PRESENT: ReadonlySet<FileState> = new Set(['stored', 'announced']);

export interface FolderLookOptions {
  readonly folder: string;
  readonly journal: Journal;
  readonly logger: Logger;
  readonly status: Status;
}

/**
 * Looks into the folder of clips and holds it against the journal: new files are taken up, what has gone is noted. Keeps
 * the states of the files that are there at hand, so that a look costs no question for each of them.
 */
export class FolderLook {
  readonly #options: FolderLookOptions;
  readonly #recordings: RecordingsFolder;
  readonly #states = new Map<string, FileState>();

  constructor(options: FolderLookOptions) {
    this.#options = options;
    this.#recordings = new RecordingsFolder(options.folder);
  }

  /** Goes on where an earlier run ended. */
  start(): void {
    const rows = this.#options.journal.in(['seen', 'uploading', 'stored', 'announced']);
    for (const row of rows) this.#states.set(row.path, row.state);
  }

  /** A file has come into another state, which is in the journal. */
  moved(name: string, state: FileState): void {
    if (state === 'deleted' || state === 'removed') this.#states.delete(name);
    else this.#states.set(name, state);
  }

  /** @returns undefined when the folder cannot be read */
  async look(): Promise<Found | undefined> {
    const { journal, status } = this.#options;
    let found: Found;
    try {
      found = await this.#recordings.look(
        (name) => PRESENT.has(this.#states.get(name) ?? 'seen'),
        (name) => SETTLED.has(this.#states.get(name) ?? journal.get(name)?.state ?? 'seen'),
      );
      status.setFolderProblem(undefined);
    } catch (error) {
      status.setFolderProblem(`the folder of clips cannot be read: ${messageOf(error)}`);
      return undefined;
    }
    const isNew = this.#takeUp(found);
    const isLess = this.#noteGone(found);
    if (isNew || isLess) status.changed();
    return found;
  }

  #takeUp(found: Found): boolean {
    const { journal } = this.#options;
    let changed = false;
    for (const { relative, kind, size, mtimeMs } of found.recordings) {
      const row = journal.get(relative);
      const isKnown = row !== undefined && (row.state === 'seen' || row.state === 'uploading');
      if (isKnown && row.size === size && row.mtimeMs === mtimeMs) continue;
      journal.see(relative, kind, size, mtimeMs);
      this.#states.set(relative, 'seen');
      changed = true;
    }
    return changed;
  }

  #noteGone(found: Found): boolean {
    const { journal, logger } = this.#options;
    const open = new Set(found.open.map((name) => name.slice(1, -'.part'.length)));
    let changed = false;
    for (const [name, state] of this.#states) {
      if (found.names.has(name) || open.has(name)) continue;
      const row = journal.get(name);
      if (row !== undefined && PRESENT.has(state)) journal.move(name, 'deleted');
      else if (row !== undefined) {
        journal.removed(name, row.kind);
        logger.warn('a file was removed before it was uploaded', { file: name });
      }
      this.#states.delete(name);
      changed = true;
    }
    return changed;
  }
}
