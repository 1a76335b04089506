import { readdir, rm, stat, statfs } from 'node:fs/promises';
import path from 'node:path';

/** Of the disk stays free, whatever the budget. */
const FREE_SHARE = 0.05;
/** A disk that others fill must not cost what was recorded just now. */
const KEEP_MS = 5 * 60_000;

/** A clip with what lies beside it. */
export interface StoredClip {
  /** Path in the folder, without ending. */
  readonly name: string;
  readonly files: readonly string[];
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface BudgetRule {
  /** 0: no limit. */
  readonly maxBytes: number;
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly diskBytes: number;
  readonly nowMs: number;
}

/** Which clips have to go, oldest first. */
export function clipsToRemove(clips: readonly StoredClip[], rule: BudgetRule): StoredClip[] {
  const { maxBytes, usedBytes, freeBytes, diskBytes, nowMs } = rule;
  let over = maxBytes === 0 ? 0 : usedBytes - maxBytes;
  let lacking = FREE_SHARE * diskBytes - freeBytes;
  const oldest = [...clips].sort((a, b) => a.modifiedMs - b.modifiedMs || (a.name < b.name ? -1 : 1));
  return oldest.filter(({ bytes, modifiedMs }) => {
    if (over <= 0 && (lacking <= 0 || nowMs - modifiedMs < KEEP_MS)) return false;
    over -= bytes;
    lacking -= bytes;
    return true;
  });
}

/** Finished clips and snippets in a folder of recordings; hidden files are in the making and do not count. */
export async function storedClips(folder: string): Promise<StoredClip[]> {
  const clips = new Map<string, { files: string[]; bytes: number; modifiedMs: number }>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const match = /^([^.].*?)(\.overlay\.mp4|\.mp4|\.json)$/.exec(entry.name);
    if (!entry.isFile() || match?.[1] === undefined) continue;
    const file = path.join(entry.parentPath, entry.name);
    const found = await stat(file).catch(() => undefined);
    if (!found) continue;
    const name = path.join(path.relative(folder, entry.parentPath), match[1]);
    const clip = clips.get(name) ?? { files: [], bytes: 0, modifiedMs: Infinity };
    // The JSON last: what takes a clip for finished looks for both.
    if (match[2] === '.json') clip.files.push(file);
    else clip.files.unshift(file);
    clip.bytes += found.size;
    clip.modifiedMs = Math.min(clip.modifiedMs, found.mtimeMs);
    clips.set(name, clip);
  }
  return [...clips].map(([name, clip]) => ({ name, ...clip }));
}

/** Removes what is above the budget. @returns what is gone */
export async function keepBudget(folder: string, maxBytes: number, nowMs: number): Promise<StoredClip[]> {
  const clips = await storedClips(folder);
  const { bavail, blocks, bsize } = await statfs(folder);
  const usedBytes = clips.reduce((sum, { bytes }) => sum + bytes, 0);
  const disk = { freeBytes: bavail * bsize, diskBytes: blocks * bsize };
  const old = clipsToRemove(clips, { maxBytes, usedBytes, ...disk, nowMs });
  for (const { files } of old) for (const file of files) await rm(file, { force: true });
  return old;
}
