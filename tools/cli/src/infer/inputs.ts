import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';

const IMAGE = /\.(jpe?g|png|bmp|webp|tiff?)$/i;

export interface InferInput {
  readonly file: string;
  readonly isImage: boolean;
}

/** What there is to look at: the file itself, or the pictures of a folder by name. */
export async function listInputs(input: string): Promise<InferInput[]> {
  const file = path.resolve(input);
  const info = await stat(file).catch(() => undefined);
  if (!info) throw new VantageError('INPUT_MISSING', `${input} does not exist`);
  if (!info.isDirectory()) return [{ file, isImage: IMAGE.test(file) }];
  const names = (await readdir(file)).filter((name) => IMAGE.test(name)).sort();
  if (names.length === 0)
    throw new VantageError('INPUT_EMPTY', `${input} holds no pictures (jpg, png, bmp, webp, tiff)`);
  return names.map((name) => ({ file: path.join(file, name), isImage: true }));
}
