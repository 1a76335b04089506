import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { VantageError } from '@vantage/contracts';

/** Asks for a password that nobody sees. @throws VantageError PASSWORD_MISSING where nobody sits there */
export async function password(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new VantageError(
      'PASSWORD_MISSING',
      'no password: give a file by --password-file, or log in with "docker login"',
    );
  }
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const answer = await terminal.question('');
  terminal.close();
  process.stderr.write('\n');
  return answer;
}
