import pc from 'picocolors';
import type { DeploymentChange, ValueChange } from './diff.ts';

/** A change in a few lines: `+ module x`, `~ route y`, and below it the values that differ. */
export function renderDiff(changes: readonly DeploymentChange[]): string[] {
  return changes.flatMap(({ what, name, how, values }) => {
    const title = `${what} ${name}`;
    if (how === 'removed') return [pc.red(`- ${title}`)];
    if (how === 'added') return [pc.green(`+ ${title}`), ...values.map((value) => `    ${value.after ?? ''}`)];
    return [pc.yellow(`~ ${title}`), ...values.map((value) => `    ${valueLine(value)}`)];
  });
}

function valueLine({ path, before, after }: ValueChange): string {
  const name = path === '' ? '' : `${path}: `;
  if (before === undefined) return `${name}${pc.green(after ?? '')} is new`;
  if (after === undefined) return `${name}${pc.red(before)} is gone`;
  return `${name}${before} -> ${after}`;
}
