import { readFile } from 'node:fs/promises';
import { VantageError, codeOf, isObject, mergeTwin, messageOf, type TwinObject } from '@vantage/contracts';
import { parseWritten } from './written-json.ts';

/**
 * A patch of desired properties: JSON text, or `@file`.
 * @throws VantageError PATCH_INVALID
 */
export async function readPatch(text: string): Promise<Readonly<Record<string, unknown>>> {
  const file = text.startsWith('@') ? text.slice(1) : undefined;
  const json = file === undefined ? text : await readPatchFile(file);
  const patch = parseWritten(json, file ?? 'the patch', file !== undefined);
  if (!isObject(patch)) throw new VantageError('PATCH_INVALID', `${file ?? 'the patch'} must be a JSON object`);
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
