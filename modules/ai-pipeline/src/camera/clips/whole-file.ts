import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Appears under its name complete or not at all. */
export async function writeWholeFile(file: string, text: string): Promise<void> {
  const hidden = path.join(path.dirname(file), `.${path.basename(file)}.tmp`);
  try {
    await writeFile(hidden, text);
    await rename(hidden, file);
  } catch (error) {
    await rm(hidden, { force: true }).catch(() => undefined);
    throw error;
  }
}
