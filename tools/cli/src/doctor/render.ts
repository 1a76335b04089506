import pc from 'picocolors';
import type { Diagnosis } from './examine.ts';
import type { Finding } from './finding.ts';

const MARKS: Readonly<Record<Finding['state'], string>> = {
  good: pc.green('ok'),
  limited: pc.yellow('--'),
  missing: pc.red('!!'),
};

/** A line for each finding, its remedy below it. */
export function renderDiagnosis({ findings, summary }: Diagnosis): string {
  const width = Math.max(...findings.map(({ id }) => id.length));
  const lines = findings.flatMap(({ id, state, found, remedy }) => [
    `${MARKS[state]}  ${id.padEnd(width)}  ${oneLine(found)}`,
    ...(remedy === undefined || state === 'good' ? [] : [`    ${' '.repeat(width)}  ${pc.dim(`-> ${remedy}`)}`]),
  ]);
  return `${[...lines, '', summary].join('\n')}\n`;
}

/** What drivers and programs say does not steer the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
