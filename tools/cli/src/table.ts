import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';

/** Lines of a table, each column as wide as its widest cell; cells may carry colours. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => width(row[at] ?? ''))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd();
  return [pc.dim(line(head)), ...rows.map(line)];
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
