import { VantageError } from '@vantage/contracts';
import { positionOf, unsetVariables, type Environment, type ExpandedText } from '@vantage/manifest';
import type { FoundProblem } from './found-problem.ts';

/**
 * A text that is no JSON, said where its author wrote it and with the likely reason.
 *
 * @returns undefined when `error` is about something else
 */
export function syntaxProblem(
  error: unknown,
  text: string,
  expanded: ExpandedText,
  env: Environment,
): FoundProblem | undefined {
  if (!VantageError.is(error) || error.code !== 'JSON_SYNTAX') return undefined;
  const { problem, offset } = error.details;
  // Python counts characters, JavaScript UTF-16 units.
  const at = Array.from(expanded.text).slice(0, Number(offset)).join('').length;
  const unset = unsetVariables(text, env);
  const reason = likelyReason(expanded.text, at);
  const variables = unset.length > 0 ? `; variables that are not set: ${unset.join(', ')}` : '';
  return {
    severity: 'error',
    ...positionOf(text, expanded.originOf(at)),
    path: '',
    message: `not JSON: ${String(problem)}${reason}${variables}`,
  };
}

function likelyReason(text: string, at: number): string {
  if (text.startsWith('\ufeff')) return '; the file begins with a byte order mark: save it as UTF-8 without one';
  const rest = text.slice(at).trimStart();
  if (/^\/[/*]/.test(rest)) return '; comments are no JSON: remove them';
  const before = text.slice(0, at).trimEnd();
  if (/^[}\]]/.test(rest) && before.endsWith(',')) return '; remove the comma before it';
  if (rest.startsWith("'")) return '; texts stand in double quotes';
  return '';
}
