import { lstatSync, readdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { SharedFile } from '@vantage/shared-memory';
import { isRingFile } from './words.ts';

/** A file has a name only during a handshake, and its maker locks it at once. */
const STALE_MS = 60_000;

/**
 * Removes the files of processes that ended in the middle of a handshake: ours by name and by owner, old, and locked by
 * nobody. Another user's files, and those of living processes, stay.
 */
export function removeStale(folder: string, nowMs = Date.now()): number {
  let removed = 0;
  for (const name of listed(folder)) {
    const file = path.join(folder, name);
    try {
      const { uid, mtimeMs } = lstatSync(file);
      if (uid !== process.getuid?.() || nowMs - mtimeMs < STALE_MS) continue;
      const opened = SharedFile.open(file);
      try {
        if (!opened.tryLock()) continue;
        unlinkSync(file);
        removed += 1;
      } finally {
        opened.close();
      }
    } catch {
      // Gone by itself, or no plain file: not ours to remove.
    }
  }
  return removed;
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter(isRingFile);
  } catch {
    return [];
  }
}
