import pc from 'picocolors';
import type { CheckResult } from './run-checks.ts';

const MARKS = { ok: pc.green('ok  '), warn: pc.yellow('warn'), fail: pc.red('FAIL'), skip: pc.dim('skip') };
const INDENT = ' '.repeat(6);

/** One check as lines of text. */
export function resultLines({ outcome, title, detail, advice }: CheckResult): string {
  const head = `${MARKS[outcome]}  ${outcome === 'skip' ? pc.dim(title) : title}`;
  // What the node said is shown, not obeyed: no control characters reach the terminal.
  const lines = [head, `${INDENT}${pc.dim(printable(detail))}`];
  if (advice !== undefined) lines.push(`${INDENT}-> ${printable(advice)}`);
  return `${lines.join('\n')}\n`;
}

/** The last line. */
export function summaryLine(count: Record<CheckResult['outcome'], number>): string {
  const words = [`${count.ok} ok`, `${count.warn} to look at`, `${count.fail} failed`, `${count.skip} not tried`];
  return `\n${words.join(', ')}: ${count.fail > 0 ? 'clients will have trouble with this node' : 'this node keeps the contract'}\n`;
}

function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}
