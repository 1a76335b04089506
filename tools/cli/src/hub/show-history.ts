import type { History } from '@vantage/hub';

/** Prints what is kept of a device or twin, newest first. */
export async function showHistory(history: History, json: boolean): Promise<void> {
  const all = await history.list();
  const lines = all.map(({ replacedAt, file }, at) => `${at + 1}  until ${replacedAt}  ${file}`);
  const text = json ? JSON.stringify(all, null, 2) : lines.length > 0 ? lines.join('\n') : 'nothing was replaced yet';
  process.stdout.write(`${text}\n`);
}
