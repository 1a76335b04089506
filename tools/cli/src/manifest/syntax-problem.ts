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
  const place = positionOf(text, expanded.originOf(at));
  const reason = likelyReason(expanded.text, at) || unsetThere(text, place.line, env) || quoteIt(expanded.text, at);
  return { severity: 'error', ...place, path: '', message: `not JSON: ${String(problem)}${reason}` };
}

/** A variable without quotes around it, which nobody set, is no JSON. */
function unsetThere(text: string, line: number, env: Environment): string {
  const unset = unsetVariables(text.split('\n')[line - 1] ?? '', env);
  if (unset.length === 0) return '';
  return `; not set: ${unset.join(', ')} (set ${unset.length === 1 ? 'it' : 'them'} in the shell or in .env)`;
}

/** VS Code's extension reads the JSON first. */
function quoteIt(text: string, at: number): string {
  return text[at] === '$' ? '; with --style vscode a variable stands in double quotes' : '';
}

/** What people mostly did; empty where nothing comes to mind. */
export function likelyReason(text: string, at: number): string {
  if (text.startsWith('\ufeff')) return '; the file begins with a byte order mark: save it as UTF-8 without one';
  if (text.trim() === '') return '; the file is empty';
  // What a decoder puts in the place of bytes that are no UTF-8.
  if (text.slice(at, at + 64).includes('\ufffd') || text.includes('\0')) return '; it is no text in UTF-8';
  const rest = text.slice(at).trimStart();
  if (/^\/[/*]/.test(rest)) return '; comments are no JSON: remove them';
  const before = text.slice(0, at).trimEnd();
  if (/^[}\]]/.test(rest) && before.endsWith(',')) return '; remove the comma before it';
  if (rest.startsWith("'")) return '; texts stand in double quotes';
  return '';
}
