import { VantageError, messageOf } from '@vantage/contracts';
import { createOptionsError, createOptionsSizeError } from './errors.ts';
import { isJsonObject, parseJson, toPlain } from './json.ts';

/** What one string of a twin may hold, in characters. */
export const CHUNK_SIZE = 512;
/** What the generators write at most; edgeAgent reads more. */
export const MAX_CHUNKS_WRITTEN = 8;
/** What edgeAgent reads at most. */
export const MAX_CHUNKS_READ = 100;

/**
 * Cuts a text into pieces of at most 512 characters (not UTF-16 units: no character is torn). An empty text has none.
 * @throws VantageError CREATE_OPTIONS_SIZE for more than eight pieces
 */
export function splitCreateOptions(text: string, module: string): string[] {
  const characters = Array.from(text);
  const chunks: string[] = [];
  for (let at = 0; at < characters.length; at += CHUNK_SIZE) {
    chunks.push(characters.slice(at, at + CHUNK_SIZE).join(''));
  }
  if (chunks.length > MAX_CHUNKS_WRITTEN) throw createOptionsSizeError(module);
  return chunks;
}

/** The key of piece `index`: `createOptions`, `createOptions01`, ... */
export function chunkKey(field: string, index: number): string {
  return index === 0 ? field : field + String(index).padStart(2, '0');
}

/**
 * Joins the pieces of a chunked field as edgeAgent does: `field`, `field01`, ... in any order of keys, without gap. A
 * missing field is the empty text.
 * @throws VantageError CREATE_OPTIONS
 */
export function joinChunks(
  settings: Readonly<Record<string, unknown>>,
  field = 'createOptions',
  options: { readonly ignoreCase?: boolean } = {},
): string {
  const fold = (text: string): string => (options.ignoreCase === true ? text.toLowerCase() : text);
  const pieces = Object.entries(settings)
    .filter(([key]) => fold(key).startsWith(fold(field)) && /^\d*$/.test(key.slice(field.length)))
    .map(([key, text]) => ({ number: key.slice(field.length), text }))
    .sort((a, b) => (a.number < b.number ? -1 : 1));
  if (pieces.length > MAX_CHUNKS_READ) throw createOptionsError(`${field} has more than ${MAX_CHUNKS_READ} pieces`);
  let joined = '';
  for (const [index, { number, text }] of pieces.entries()) {
    // edgeAgent compares numbers: `createOptions1` is the second piece too.
    if ((number === '') !== (index === 0) || Number(number) !== index) throw chunkGapError(field, index, number);
    if (typeof text !== 'string') throw createOptionsError(`${chunkKey(field, index)} is not a text`);
    joined += text;
  }
  return joined;
}

function chunkGapError(field: string, index: number, found: string): Error {
  const start = `Error while parsing chunked field "${field}", expected`;
  return createOptionsError(
    index === 0
      ? `${start} empty field number but found "${found}"`
      : `${start} ${chunkKey(field, index)} found ${field}${found}`,
  );
}

/**
 * Reads joined createOptions: JSON, in single quotes too, as edgeAgent reads it. Absent, blank and `null` give {}.
 * @throws VantageError CREATE_OPTIONS
 */
export function parseCreateOptions(text: string | null | undefined): Readonly<Record<string, unknown>> {
  if (text === null || text === undefined || text.trim() === '' || text.trim().toLowerCase() === 'null') return {};
  try {
    const value = parseJson(text, { singleQuotes: true });
    if (isJsonObject(value)) return toPlain(value) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!VantageError.is(error)) throw error;
    throw createOptionsError(`createOptions are not valid JSON: ${messageOf(error)}`, error);
  }
  throw createOptionsError('createOptions should be an object');
}
