import pc from 'picocolors';
import { table } from '../table.ts';
import type { TwinPlan } from '@vantage/skill';

const COLOURS = { live: pc.green, swap: pc.green, add: pc.cyan, remove: pc.yellow, restart: pc.red } as const;

/** A plan for people: a line a step, then what is wrong. */
export function renderPlan({ effects, issues, refused }: TwinPlan): string[] {
  const rows = effects.map(({ how, node, text }) => [COLOURS[how](how), node, text]);
  return [
    ...(refused ? [pc.red('refused: nothing of it can be used, and what runs goes on')] : []),
    ...(!refused && rows.length === 0 ? ['nothing changes'] : []),
    ...(rows.length > 0 ? table(['how', 'what', 'effect'], rows) : []),
    ...issues.map(({ severity, path, message }) => {
      return `${severity === 'error' ? pc.red('error') : pc.yellow('warning')}  ${path}: ${message}`;
    }),
  ];
}
