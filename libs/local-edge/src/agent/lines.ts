import type { Readable } from 'node:stream';

/** Lines longer than this are cut into pieces, so that a module that never ends a line cannot fill the memory. */
const MAX_LINE_CHARS = 64 * 1024;

/** Calls `onLine` for each line of a text stream, without its line feed. Errors of the stream end it. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.replace(/\r$/, ''));
    if (rest.length > MAX_LINE_CHARS) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
    rest = '';
  });
  stream.on('error', () => undefined);
}
