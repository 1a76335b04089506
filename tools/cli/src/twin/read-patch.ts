import { readFile } from 'node:fs/promises';
import { VantageError, codeOf, isObject, mergeTwin, messageOf, type TwinObject } from '@vantage/contracts';
import { parseJson } from '@vantage/manifest';

/**
 * A patch of desired properties: JSON text, or `@file`.
 * @throws VantageError PATCH_INVALID
 */
export async function readPatch(text: string): Promise<Readonly<Record<string, unknown>>> {
  const file = text.startsWith('@') ? text.slice(1) : undefined;
  const json = file === undefined ? text : await readPatchFile(file);
  const patch = readJson(json, file);
  if (!isObject(patch)) throw new VantageError('PATCH_INVALID', `${file ?? 'the patch'} must be a JSON object`);
  return patch;
}

/** Ours says where it is wrong; JavaScript's own makes the value, and knows no NaN. */
function readJson(json: string, file: string | undefined): unknown {
  try {
    parseJson(json);
    return JSON.parse(json);
  } catch (error) {
    const details: Readonly<Record<string, unknown>> = VantageError.is(error) ? error.details : {};
    const { line, column, problem } = details;
    const place = file !== undefined && typeof line === 'number' ? `${file}:${line}:${String(column)}` : file;
    const why = typeof problem === 'string' ? problem : messageOf(error);
    throw new VantageError('PATCH_INVALID', `${place ?? 'the patch'} is not JSON: ${why}`);
  }
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
