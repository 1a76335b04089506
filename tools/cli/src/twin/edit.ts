import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { VantageError, isTwinObject, messageOf, type TwinObject } from '@vantage/contracts';
import { ask } from '../ask.ts';
import { changeTwins, type ChangeOptions } from './change.ts';
import { parseWritten } from './written-json.ts';

interface Edited {
  readonly desired: TwinObject;
  readonly file: string;
}

/**
 * Changes a twin as a person writes it in `$VISUAL` or `$EDITOR`. What was written and is not applied stays in its file,
 * which is named.
 *
 * @returns exit status, as `changeTwins`
 * @throws VantageError EDIT_FAILED and what `changeTwins` throws
 */
export async function changeByEditor(module: string, options: ChangeOptions): Promise<number> {
  const edits: Edited[] = [];
  let isApplied = false;
  try {
    const wish = async (desired: TwinObject): Promise<TwinObject> => {
      const edited = await editTwin(module, desired);
      edits.push(edited);
      return edited.desired;
    };
    const status = await changeTwins(module, wish, options);
    isApplied = status === 0 && options.dryRun !== true;
    return status;
  } finally {
    for (const { file } of edits) {
      if (isApplied) await discard(file);
      else process.stderr.write(`what you wrote is in ${file}: "vantage twin apply ${module} -f ${file}"\n`);
    }
  }
}

/** A text that is no JSON is opened again when somebody sits there. @throws VantageError EDIT_FAILED */
async function editTwin(module: string, desired: TwinObject, env: NodeJS.ProcessEnv = process.env): Promise<Edited> {
  const editor = env['VISUAL'] ?? env['EDITOR'];
  if (editor === undefined || editor === '') {
    throw new VantageError('EDIT_FAILED', 'no editor: set EDITOR (such as EDITOR=nano), or use "vantage twin set"');
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-twin-'));
  const file = path.join(folder, `${module.replace(/[^\w.-]/g, '_')}.json`);
  const before = `${JSON.stringify(desired, null, 2)}\n`;
  await writeFile(file, before, { mode: 0o600 });
  for (;;) {
    const status = await open(editor, file);
    const text = await readFile(file, 'utf8');
    if (status !== 0) {
      const ended = `the editor ended with status ${status ?? 'none'}`;
      if (text !== before) throw new VantageError('EDIT_FAILED', `${ended}; what you wrote is in ${file}`);
      await discard(file);
      throw new VantageError('EDIT_FAILED', `${ended}; nothing was changed`);
    }
    const read = readEdited(text, file);
    if (typeof read !== 'string') return { desired: read, file };
    process.stderr.write(`${read}\n`);
    if (!process.stdin.isTTY || !(await wantsToGoOn())) {
      throw new VantageError('EDIT_FAILED', `nothing was applied; what you wrote is in ${file}`);
    }
  }
}

/** It may hold passwords. */
async function discard(file: string): Promise<void> {
  await rm(path.dirname(file), { recursive: true, force: true });
}

function readEdited(text: string, file: string): TwinObject | string {
  try {
    const value = parseWritten(text, file);
    return isTwinObject(value) ? value : `${file} is no object, as desired properties are`;
  } catch (error) {
    return messageOf(error);
  }
}

/** @returns the editor's exit status */
async function open(editor: string, file: string): Promise<number | null> {
  // As git does: an editor may come with options.
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, editor, file], { stdio: 'inherit' });
  // Ctrl-C is for the editor; what it leaves is named, not lost.
  const leaveIt = (): void => undefined;
  process.on('SIGINT', leaveIt);
  return new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  }).finally(() => process.off('SIGINT', leaveIt));
}

async function wantsToGoOn(): Promise<boolean> {
  const answer = await ask('open it again? [Y/n] ');
  return answer !== undefined && !/^n/i.test(answer);
}
