import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/**
 * Asks the person at the terminal, on stderr: stdout holds results.
 *
 * @param hidden what is typed is not shown
 * @returns undefined when there is no answer: Ctrl-C, Ctrl-D, the end of a pipe
 */
export async function ask(question: string, { hidden = false } = {}): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (hidden) process.stderr.write(question);
  const terminal = createInterface({
    input: process.stdin,
    output: hidden ? nowhere : process.stderr,
    terminal: process.stdin.isTTY,
  });
  // Without an answer its promise would stay open for ever.
  const closed = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  try {
    const answer = await Promise.race([terminal.question(hidden ? '' : question), closed]);
    if (hidden || answer === undefined) process.stderr.write('\n');
    return answer;
  } finally {
    terminal.close();
  }
}
