import { readFile, stat } from 'node:fs/promises';
import { VantageError, codeOf, messageOf } from '@vantage/contracts';

/** A larger file is no list of boxes; MOT-Challenge's largest has some 20 MB. */
const MAX_BYTES = 256 * 1024 * 1024;

/** @throws VantageError `INPUT_MISSING` */
export async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES)
      throw new VantageError('INPUT_MISSING', `${file} has ${size} bytes: that is no list of boxes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (VantageError.is(error)) throw error;
    const code = codeOf(error);
    const reason = code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : messageOf(error);
    throw new VantageError('INPUT_MISSING', `${file} ${reason}`, { cause: error });
  }
}
