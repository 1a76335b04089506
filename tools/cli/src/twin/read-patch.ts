import { readFile } from 'node:fs/promises';
import { VantageError, codeOf, isObject, mergeTwin, messageOf, type TwinObject } from '@vantage/contracts';

/**
 * A patch of desired properties: JSON text, or `@file`.
 * @throws VantageError PATCH_INVALID
 */
export async function readPatch(text: string): Promise<Readonly<Record<string, unknown>>> {
  const json = text.startsWith('@') ? await readPatchFile(text.slice(1)) : text;
  let patch: unknown;
  try {
    patch = JSON.parse(json);
  } catch (error) {
    throw new VantageError('PATCH_INVALID', `the patch is not JSON: ${(error as Error).message}`);
  }
  if (!isObject(patch)) throw new VantageError('PATCH_INVALID', 'the patch must be a JSON object');
  return patch;
}

async function readPatchFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'does not exist' : messageOf(error);
    throw new VantageError('PATCH_INVALID', `the patch file ${file} ${reason}`, { cause: error });
  }
}

/** Desired properties with a patch in them. */
export function patchWith(patch: TwinObject): (desired: TwinObject) => TwinObject {
  return (desired) => mergeTwin(desired, patch);
}
