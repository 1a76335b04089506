import { statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import path from 'node:path';
import { fileMissing, fileOutside } from './errors.ts';

/** A model package on disk. The folder belongs to the store (or, for a folder address, to the user): read only. */
export interface ModelPackage {
  /** Absolute path of the folder that paths of a twin are relative to. */
  readonly folder: string;
  /** Paths of its files below `folder`, sorted, `/` between parts; at most {@link LISTED} of them. */
  readonly contents: readonly string[];
  /** Lower-case hex digest of the zip; undefined for a folder. */
  readonly sha256: string | undefined;
  /** True when nothing was unpacked for this call. */
  readonly fromCache: boolean;
  /** The zip's single top folder, which was taken off and which paths may still start with. */
  readonly topFolder: string | undefined;
}

/** Files of a package that are listed. */
export const LISTED = 10_000;
const SHOWN_IN_ERROR = 40;

/**
 * The absolute path of a file (or folder) that a twin names. Accepted with or without the package's top folder in
 * front, with `/` or `\`; absolute paths are taken as they are (contract deepstream-accelerator D.5 and J).
 *
 * @throws MODEL_FILE_MISSING with the package's contents, MODEL_FILE_OUTSIDE for a path that leads out of the package.
 */
export function resolveInPackage(
  found: Pick<ModelPackage, 'folder' | 'contents' | 'topFolder'>,
  named: string,
): string {
  const wanted = named.trim().replaceAll('\\', '/');
  if (wanted === '') throw fileMissing(`no file is named; the package holds ${listing(found.contents)}`);
  if (path.isAbsolute(wanted)) {
    if (exists(wanted)) return wanted;
    throw fileMissing(`${wanted} does not exist (an absolute path, not one within the package)`);
  }
  const clean = path.posix.normalize(wanted);
  if (clean === '..' || clean.startsWith('../')) throw fileOutside(`"${named}" leads out of the model package`);
  const names = [clean];
  for (const top of new Set([found.topFolder, path.basename(found.folder)])) {
    if (top !== undefined && clean.startsWith(`${top}/`)) names.push(clean.slice(top.length + 1));
    if (top !== undefined && clean === top) names.push('.');
  }
  for (const name of names) {
    const place = path.join(found.folder, ...name.split('/'));
    if (exists(place)) return place;
  }
  const near = nearest(clean, found.contents);
  throw fileMissing(
    `the model package holds no "${named}"${near === undefined ? '' : `; did you mean "${near}"?`} It holds ${listing(found.contents)}`,
    { wanted: named, contents: found.contents.slice(0, SHOWN_IN_ERROR) },
  );
}

/** Contents for an error: bounded, because a package may hold thousands of files. */
export function listing(contents: readonly string[]): string {
  if (contents.length === 0) return 'nothing';
  const shown = contents.slice(0, SHOWN_IN_ERROR).map((name) => (name.length > 100 ? `${name.slice(0, 99)}…` : name));
  const more = contents.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The files below a folder, sorted; stops at {@link LISTED}. Links are not followed. */
export async function listFolder(folder: string): Promise<string[]> {
  const names: string[] = [];
  const open = [''];
  for (let at = open.pop(); at !== undefined && names.length < LISTED; at = open.pop()) {
    for await (const item of await opendir(path.join(folder, at))) {
      const name = at === '' ? item.name : `${at}/${item.name}`;
      if (item.isDirectory()) open.push(name);
      else if (names.length < LISTED) names.push(name);
    }
  }
  return names.sort();
}

function exists(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false }) !== undefined;
}

/** A file that differs in case only, or has the same last name in another folder. */
function nearest(wanted: string, contents: readonly string[]): string | undefined {
  const lower = wanted.toLowerCase();
  const last = path.posix.basename(lower);
  return (
    contents.find((name) => name.toLowerCase() === lower) ??
    contents.find((name) => path.posix.basename(name).toLowerCase() === last)
  );
}
