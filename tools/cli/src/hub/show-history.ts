import path from 'node:path';
import pc from 'picocolors';
import type { History, Past } from '@vantage/hub';
import { inWords } from '../duration.ts';
import { table } from '../table.ts';

interface Shown extends Past {
  /** For rollback. */
  readonly steps: number;
  readonly changes?: readonly string[];
}

/** More of them say less. */
const MAX_CHANGES = 3;

/**
 * Prints what is kept of a device or twin, newest first, and what each change made of it.
 *
 * @param now how it is, what took the place of the newest; undefined where nobody can be asked
 * @param changesOf what became of `before`, in a few words each
 */
export async function showHistory<T>(
  history: History,
  json: boolean,
  now: T | undefined,
  changesOf: (before: T, after: T) => readonly string[],
): Promise<void> {
  const all = await history.list();
  const values = await Promise.all(all.map((_, at) => history.read<T>(at + 1)));
  const kept = values.map(({ value, past }, at): Shown => {
    const after = values[at - 1]?.value ?? now;
    return { steps: at + 1, ...past, ...(after === undefined ? {} : { changes: changesOf(value, after) }) };
  });
  if (json) return void process.stdout.write(`${JSON.stringify(kept, null, 2)}\n`);
  const [newest] = kept;
  if (!newest) return void process.stdout.write('nothing was replaced yet\n');
  const rows = kept.map(({ steps, replacedAt, changes }) => [
    String(steps),
    replacedAt.replace('T', ' ').replace(/\.\d+Z$/, 'Z'),
    `${inWords(Date.now() - Date.parse(replacedAt))} ago`,
    changes === undefined ? '' : inShort(changes),
  ]);
  const lines = table(['steps', 'until', '', 'then changed'], rows);
  process.stdout.write(`${[...lines, pc.dim(`in ${path.dirname(newest.file)}`)].join('\n')}\n`);
}

function inShort(changes: readonly string[]): string {
  const more = changes.length > MAX_CHANGES ? ` and ${changes.length - MAX_CHANGES} more` : '';
  return `${changes.slice(0, MAX_CHANGES).join(', ')}${more}` || 'nothing';
}
