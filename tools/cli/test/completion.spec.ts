import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { vantage } from './fixtures/cli.ts';

jest.setTimeout(60_000);

const MAIN = path.resolve(import.meta.dirname, '../src/main.ts');
let work: string;
beforeAll(() => {
  work = mkdtempSync(path.join(tmpdir(), 'vantage-completion-'));
  const file = path.join(work, 'vantage');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' --disable-warning=ExperimentalWarning '${MAIN}' "$@"\n`);
  chmodSync(file, 0o755);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** What each shell prints as candidates for a line whose last word is being typed. */
const ASK: Readonly<Record<string, (script: string, words: readonly string[]) => [string, readonly string[]]>> = {
  bash: (script, words) => [
    'bash',
    [
      '-c',
      `source ${script}; COMP_WORDS=(vantage ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _vantage; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
  ],
  fish: (script, words) => ['fish', ['-c', `source ${script}; complete -C 'vantage ${words.join(' ')}'`]],
  zsh: (script, words) => [
    'zsh',
    [
      '-c',
      // Outside of a line editor: its functions are told apart, and the variables of a completion are set as it sets them.
      `compdef() { }; _files() { }; _describe() { print -l -- "\${(@P)2%%:*}" }; source ${script};` +
        `words=(vantage ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; _vantage`,
    ],
  ],
};

test.each(Object.keys(ASK))('%s completes commands, options and choices', async (shell) => {
  if (spawnSync(shell, ['-c', 'true']).error) {
    process.stderr.write(`skipped: no ${shell} here\n`);
    return;
  }
  const script = path.join(work, `script.${shell}`);
  writeFileSync(script, (await vantage(['completion', shell])).stdout);
  const complete = (...words: string[]): string[] => {
    const [program, args] = ASK[shell]!(script, words);
    const { stdout, stderr } = spawnSync(program, args, {
      env: { ...process.env, PATH: `${work}:${process.env['PATH'] ?? ''}` },
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return stdout.split('\n').flatMap((line) => line.split('\t')[0] || []);
  };
  expect(complete('dep')).toEqual(['deploy']);
  expect(complete('twin', 'ro')).toEqual(['rollback']);
  expect(complete('generate', '--style', 'v')).toEqual(['vscode']);
  expect(complete('deploy', 'rollback', '--st')).toEqual(expect.arrayContaining(['--state', '--steps']));
});
