import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { open as openFile, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

const TEMPORARY = /^\.vantage-clip-.*\.tmp$/;
/** File systems allow 255 bytes; the name is for people who look into the folder. */
const MAX_NAME_CHARACTERS = 40;

/** Where a file is written until it is whole. `folder` must be on the file system of the final name. */
export function temporaryNameFor(path: string, folder = dirname(path)): string {
  const name = basename(path).slice(0, MAX_NAME_CHARACTERS);
  return join(folder, `.vantage-clip-${name}.${randomBytes(4).toString('hex')}.tmp`);
}

/** Makes a file safe against a loss of power, and gives it its name. Replaces what has that name. */
export async function publishFile(temporary: string, path: string): Promise<void> {
  await syncFile(temporary);
  await rename(temporary, path);
}

/** The same, but never replaces anything: where the name is taken, `-2`, `-3` and so on is added. @returns the name */
export async function publishNewFile(temporary: string, path: string): Promise<string> {
  await syncFile(temporary);
  const extension = extname(path);
  let free = path;
  for (let copy = 2; existsSync(free); copy += 1)
    free = `${path.slice(0, path.length - extension.length)}-${copy}${extension}`;
  renameSync(temporary, free);
  return free;
}

/** Removes what clips left behind that were open when their process was killed. Call it before the first clip. */
export async function removeStaleClips(folder: string): Promise<number> {
  const stale = (await readdir(folder)).filter((name) => TEMPORARY.test(name));
  await Promise.all(stale.map((name) => rm(join(folder, name), { force: true })));
  return stale.length;
}

async function syncFile(path: string): Promise<void> {
  const file = await openFile(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
