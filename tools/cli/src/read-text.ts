import { readFile, stat } from 'node:fs/promises';
import { VantageError, codeOf } from '@vantage/contracts';

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a folder: name a file in it',
  EACCES: 'may not be read by you',
};

/**
 * The text of a file that somebody named.
 *
 * @param most bytes of what it should be, such as `list of boxes`: a larger one is none
 * @throws VantageError INPUT_MISSING
 */
export async function readText(
  file: string,
  most?: { readonly bytes: number; readonly what: string },
): Promise<string> {
  try {
    if (most !== undefined) {
      const { size } = await stat(file);
      if (size > most.bytes)
        throw new VantageError('INPUT_MISSING', `${file} has ${size} bytes: that is no ${most.what}`);
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    if (VantageError.is(error)) throw error;
    const code = codeOf(error) ?? 'unknown reason';
    throw new VantageError('INPUT_MISSING', `${file} ${UNREADABLE[code] ?? `cannot be read (${code})`}`, {
      cause: error,
    });
  }
}
