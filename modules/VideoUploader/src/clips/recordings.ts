import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@vantage/contracts';
import { baseOf, jsonNamesOf, kindOf, type FileKind } from './clip-names.ts';

export interface Recording {
  /** Path in the folder, with forward slashes. */
  readonly relative: string;
  readonly kind: FileKind;
  readonly size: number;
  readonly mtimeMs: number;
  /** Whole: it will not grow any more. */
  readonly ready: boolean;
}

export interface Found {
  readonly recordings: readonly Recording[];
  /** All names, also of those that were not looked at again. */
  readonly names: ReadonlySet<string>;
  /** Hidden clips that are still being recorded: `.x.mp4.part`. */
  readonly open: readonly string[];
  /** Bases of clips that somebody still works on: there is a hidden file of their name. */
  readonly inUse: ReadonlySet<string>;
}

/** A file without a JSON beside it comes from a recorder that we do not know: it is whole when it rests (G.4). */
const REST_MS = 20_000;
const SNIPPET_REST_MS = 2000;
/** A JSON whose clip never comes. */
const ORPHAN_REST_MS = 60_000;
const SNIPPETS = 'video-snippet';
const MAX_DEPTH = 5;

/**
 * Looks into the recordings folder. Our recorder gives files their names when they are whole, the JSON before its clip;
 * the original's writes the JSON last. So a clip with a JSON is whole either way.
 */
export class RecordingsFolder {
  readonly folder: string;
  readonly #now: () => number;
  /** Size and time as last seen, and since when. */
  readonly #seen = new Map<string, { size: number; mtimeMs: number; sinceMs: number }>();

  constructor(folder: string, now: () => number = Date.now) {
    this.folder = folder;
    this.#now = now;
  }

  /** @param isDone files that need no second look */
  async look(isDone: (relative: string) => boolean, isStored: (relative: string) => boolean): Promise<Found> {
    const names = new Set<string>();
    const open: string[] = [];
    const inUse = new Set<string>();
    await this.#walk('', 0, names, open, inUse);
    for (const name of this.#seen.keys()) if (!names.has(name)) this.#seen.delete(name);
    const clipsOf = clipsByJson(names);
    const recordings: Recording[] = [];
    for (const relative of names) {
      if (isDone(relative)) continue;
      const recording = await this.#examine(relative, names, clipsOf, isStored);
      if (recording !== undefined) recordings.push(recording);
    }
    return { recordings, names, open, inUse };
  }

  async #walk(below: string, depth: number, names: Set<string>, open: string[], inUse: Set<string>): Promise<void> {
    for (const entry of await readdir(path.join(this.folder, below), { withFileTypes: true })) {
      const relative = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) {
        const isOurs = below !== '' || entry.name === SNIPPETS;
        if (isOurs && depth < MAX_DEPTH) await this.#walk(relative, depth + 1, names, open, inUse);
        continue;
      }
      if (!entry.isFile()) continue;
      const hidden = below === '' ? /^\.(.+?)(\.overlay)?\.mp4\b/.exec(entry.name) : null;
      if (hidden) inUse.add(hidden[1] ?? '');
      const made = below === '' ? /^\.vantage-clip-(.+)\.[0-9a-f]{8}\.tmp$/.exec(entry.name) : null;
      if (made) inUse.add(made[1] ?? '');
      if (below === '' && /^\..+\.mp4\.part$/.test(entry.name) && !/\.overlay\./.test(entry.name))
        open.push(entry.name);
      else if (kindOf(relative) !== undefined) names.add(relative);
    }
  }

  async #examine(
    relative: string,
    names: ReadonlySet<string>,
    clipsOf: ReadonlyMap<string, readonly string[]>,
    isStored: (relative: string) => boolean,
  ): Promise<Recording | undefined> {
    const kind = kindOf(relative);
    if (kind === undefined) return undefined;
    let size: number;
    let mtimeMs: number;
    try {
      ({ size, mtimeMs } = await stat(path.join(this.folder, relative)));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
    const now = this.#now();
    const before = this.#seen.get(relative);
    const same = before?.size === size && before.mtimeMs === mtimeMs;
    // A file that has long been there needs not be waited for; a clock that was set back must not make it wait for ever.
    const sinceMs = Math.min(now, same ? before.sinceMs : before === undefined ? mtimeMs : now);
    if (!same || sinceMs < before.sinceMs) this.#seen.set(relative, { size, mtimeMs, sinceMs });
    const restMs = now - sinceMs;
    const ready = size > 0 && isReady(relative, kind, restMs, names, clipsOf.get(relative) ?? [], isStored);
    return { relative, kind, size, mtimeMs, ready };
  }
}

/** Whether somebody still works on a clip: records it, or paints its overlay. */
export function isInUse(base: string, { inUse }: Pick<Found, 'inUse'>): boolean {
  // Other files in the making carry the first 40 characters of their name (`temporaryNameFor` of @vantage/media).
  return inUse.has(base) || inUse.has(`${base}.overlay.mp4`.slice(0, 40));
}

function clipsByJson(names: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const clips = new Map<string, string[]>();
  for (const name of names) {
    if (kindOf(name) !== 'clip') continue;
    const json = jsonNamesOf(baseOf(name)).find((one) => names.has(one.name))?.name;
    if (json !== undefined) clips.set(json, [...(clips.get(json) ?? []), name]);
  }
  return clips;
}

function isReady(
  relative: string,
  kind: FileKind,
  restMs: number,
  names: ReadonlySet<string>,
  clips: readonly string[],
  isStored: (relative: string) => boolean,
): boolean {
  const base = baseOf(relative);
  if (kind === 'snippet') return restMs >= SNIPPET_REST_MS;
  if (kind === 'json') {
    // Its clips first: who finds the JSON in storage finds the video too.
    if (clips.length > 0) return clips.every(isStored);
    return isStored(`${base}.mp4`) || restMs >= ORPHAN_REST_MS;
  }
  const hasJson = jsonNamesOf(base).some(({ name }) => names.has(name) || isStored(name));
  return hasJson || restMs >= REST_MS;
}
