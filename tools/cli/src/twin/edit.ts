import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { VantageError, isTwinObject, messageOf, type TwinObject } from '@vantage/contracts';
import { parseJson } from '@vantage/manifest';
import { ask } from '../ask.ts';

/**
 * Lets a person change desired properties in `$VISUAL` or `$EDITOR`. A text that is no JSON is opened again (when
 * somebody sits there), so that nothing that was typed is lost.
 *
 * @throws VantageError EDIT_FAILED; the file with what was typed stays, and is named
 */
export async function editTwin(
  module: string,
  desired: TwinObject,
  env: NodeJS.ProcessEnv = process.env,
): Promise<TwinObject> {
  const editor = env['VISUAL'] ?? env['EDITOR'];
  if (editor === undefined || editor === '') {
    throw new VantageError('EDIT_FAILED', 'no editor: set EDITOR (such as EDITOR=nano), or use "vantage twin set"');
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-twin-'));
  const file = path.join(folder, `${module.replace(/[^\w.-]/g, '_')}.json`);
  await writeFile(file, `${JSON.stringify(desired, null, 2)}\n`, { mode: 0o600 });
  for (;;) {
    await open(editor, file);
    const read = readEdited(await readFile(file, 'utf8'));
    if (typeof read !== 'string') {
      await rm(folder, { recursive: true, force: true });
      return read;
    }
    process.stderr.write(`${file}: ${read}\n`);
    if (!process.stdin.isTTY || !(await wantsToGoOn())) {
      throw new VantageError('EDIT_FAILED', `nothing was applied; what you wrote is in ${file}`);
    }
  }
}

function readEdited(text: string): TwinObject | string {
  try {
    // Ours says line and column; JavaScript's own makes the value.
    parseJson(text);
    const value: unknown = JSON.parse(text);
    return isTwinObject(value) ? value : 'desired properties are an object';
  } catch (error) {
    return messageOf(error);
  }
}

async function open(editor: string, file: string): Promise<void> {
  // As git does: an editor may come with options.
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, editor, file], { stdio: 'inherit' });
  // Ctrl-C is for the editor; what it leaves is named, not lost.
  const leaveIt = (): void => undefined;
  process.on('SIGINT', leaveIt);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  }).finally(() => process.off('SIGINT', leaveIt));
  if (status !== 0)
    throw new VantageError(
      'EDIT_FAILED',
      `the editor ended with status ${status ?? 'none'}; what you wrote is in ${file}`,
    );
}

async function wantsToGoOn(): Promise<boolean> {
  const answer = await ask('open it again? [Y/n] ');
  return answer !== undefined && !/^n/i.test(answer);
}
