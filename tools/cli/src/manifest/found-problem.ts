import type { DeploymentProblem, JsonPath, TextPosition } from '@vantage/manifest';
import { pathText } from '@vantage/manifest';

/** A problem of a deployment, with its place in the file that its author wrote. */
export interface FoundProblem extends TextPosition {
  readonly severity: DeploymentProblem['severity'];
  /** JSON path; empty for the text as a whole. */
  readonly path: string;
  readonly message: string;
}

/** Each with its place. */
export function placeProblems(
  problems: readonly DeploymentProblem[],
  locate: (path: JsonPath) => TextPosition,
): FoundProblem[] {
  return problems.map(({ severity, path, message }) => ({ severity, ...locate(path), path: pathText(path), message }));
}

/** As they stand in the file. */
export function inOrder(problems: readonly FoundProblem[]): FoundProblem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** `file:12:5: error: …`, which editors and terminals make a link of. */
export function renderProblems(file: string, problems: readonly FoundProblem[]): string {
  return problems
    .map(({ severity, line, column, path, message }) => {
      const about = path === '' ? '' : ` (${path})`;
      return `${file}:${line}:${column}: ${severity}: ${message}${about}\n`;
    })
    .join('');
}

/** Whether a deployment may go on its way. */
export function isAcceptable(problems: readonly FoundProblem[], failOnWarning: boolean): boolean {
  return !problems.some(({ severity }) => severity === 'error' || failOnWarning);
}
