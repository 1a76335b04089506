import { VantageError } from '@vantage/contracts';
import { parseJson, positionOf } from '@vantage/manifest';
import { likelyReason } from '../manifest/syntax-problem.ts';

/**
 * JSON as a person wrote it. A key that stands twice is refused: one of the two would be lost.
 *
 * @param name what the text is called where it has no lines that one could point at, such as a file
 * @throws VantageError PATCH_INVALID
 */
export function parseWritten(json: string, name: string, isFile = true): unknown {
  const refuse = (at: number, why: string): never => {
    const { line, column } = positionOf(json, at);
    throw new VantageError('PATCH_INVALID', `${isFile ? `${name}:${line}:${column}` : name} ${why}`);
  };
  try {
    parseJson(json, {
      onDuplicate: (key, at) => refuse(at, `has "${key.slice(0, 80)}" twice: only one of them would count`),
    });
  } catch (error) {
    if (!VantageError.is(error) || error.code !== 'JSON_SYNTAX') throw error;
    // Characters, not UTF-16 units.
    const at = Array.from(json).slice(0, Number(error.details['offset'])).join('').length;
    refuse(at, `is not JSON: ${String(error.details['problem'])}${likelyReason(json, at)}`);
  }
  const broken = json.indexOf('\ufffd');
  if (isFile && broken >= 0) refuse(broken, 'has bytes that are no UTF-8: save it as UTF-8');
  // Ours knows NaN, which no hub takes.
  try {
    return JSON.parse(json);
  } catch {
    return refuse(0, 'is not JSON: NaN and Infinity are no numbers there');
  }
}
