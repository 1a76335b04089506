import { parseJson, positionOf, unsetVariables, type Environment, type ExpandedText } from '@vantage/manifest';
import type { FoundProblem } from './found-problem.ts';

const START = { line: 1, column: 1, path: '' } as const;
const MAX_DUPLICATES = 20;

/** What JSON allows, and its author hardly meant. */
export function textProblems(text: string, expanded: ExpandedText): FoundProblem[] {
  const problems: FoundProblem[] = [];
  // What a decoder puts in the place of bytes that are no UTF-8.
  const broken = text.indexOf('\ufffd');
  if (broken >= 0) {
    const message = 'bytes that are no UTF-8 are lost here: save the file as UTF-8';
    problems.push({ severity: 'warning', ...positionOf(text, broken), path: '', message });
  }
  const twice: FoundProblem[] = [];
  parseJson(expanded.text, {
    onDuplicate: (key, offset) => {
      if (twice.length === MAX_DUPLICATES) return;
      const message = `${JSON.stringify(key.slice(0, 80))} stands in this object already: only the last one counts`;
      twice.push({ severity: 'warning', ...positionOf(text, expanded.originOf(offset)), path: '', message });
    },
  });
  return [...problems, ...twice];
}

/** All at once: nobody wants to learn of them one by one. */
export function unsetProblems(text: string, env: Environment): FoundProblem[] {
  const names = unsetVariables(text, env);
  if (names.length === 0) return [];
  const message = `not set, and left as they are: ${names.join(', ')} (set them in the shell or in .env)`;
  return [{ severity: 'warning', ...START, message }];
}
