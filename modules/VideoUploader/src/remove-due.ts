import { stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { baseOf } from './clips/clip-names.ts';
import { isInUse, type Found } from './clips/recordings.ts';
import type { FileState, Journal } from './journal.ts';

const MAX_AT_ONCE = 500;

export interface RemoveOptions {
  readonly folder: string;
  readonly journal: Journal;
  readonly logger: Logger;
  readonly onMoved: (name: string, state: FileState) => void;
}

/** Removes the local files that storage has confirmed, so many seconds after that, if they still are what was uploaded. */
export async function removeDue(options: RemoveOptions, found: Found, keepLocalSeconds: number): Promise<void> {
  const { folder, journal, logger, onMoved } = options;
  for (const row of journal.due(Date.now() - keepLocalSeconds * 1000, MAX_AT_ONCE)) {
    if (isInUse(baseOf(row.path), found)) continue;
    const file = path.join(folder, row.path);
    try {
      const { size, mtimeMs } = await stat(file);
      if (size !== row.size || mtimeMs !== row.mtimeMs) {
        // Another file under its name: it goes the whole way.
        journal.see(row.path, row.kind, size, mtimeMs);
        onMoved(row.path, 'seen');
        continue;
      }
      await unlink(file);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') {
        logger.warn(`a stored clip cannot be removed: ${messageOf(error)}`, { file: row.path, code: codeOf(error) });
        continue;
      }
    }
    journal.move(row.path, 'deleted');
    onMoved(row.path, 'deleted');
  }
  journal.trim();
}
