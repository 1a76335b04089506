import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { twinModules, twinPaths } from '../src/completion/twin-paths.ts';
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
  expect(complete('twin', 'set', 'contr')).toEqual(['controllermodule']);
  const set = ['twin', 'set', 'controllermodule'];
  expect(complete(...set, 'azda')).toEqual(['azdaConfiguration.']);
  expect(complete(...set, 'azdaConfiguration.components.sensors[1].en')).toEqual([
    'azdaConfiguration.components.sensors[1].endpoint=',
  ]);
});

describe('paths of twins', () => {
  const COMPONENTS = 'azdaConfiguration.components';
  const texts = (typed: string, assigns = true): string[] =>
    twinPaths('controllermodule', typed, assigns).flatMap(({ text }) => (text.startsWith(typed) ? text : []));

  test('one level at a time; objects and lists go on, values are set', () => {
    expect(texts(`${COMPONENTS}.s`)).toEqual([`${COMPONENTS}.sensors[0].`, `${COMPONENTS}.skills[0].`]);
    expect(texts(`${COMPONENTS}.sensors[12].kind.`)).toEqual(
      ['type', 'subtype'].map((name) => `${COMPONENTS}.sensors[12].kind.${name}=`),
    );
    // A text or an object: both ways go on.
    const model = `${COMPONENTS}.deepStream.pipelineConfigs[0].primaryModelConfigPath`;
    expect(texts(model)).toEqual([`${model}=`, `${model}.`]);
    expect(texts(`${COMPONENTS}.log`, false)).toEqual([`${COMPONENTS}.logLevel`]);
  });

  test('values that the schema knows', () => {
    expect(texts(`${COMPONENTS}.deepStream.enable=`)).toEqual(
      ['true', 'false'].map((value) => `${COMPONENTS}.deepStream.enable=${value}`),
    );
    expect(texts(`${COMPONENTS}.logLevel=w`)).toEqual([`${COMPONENTS}.logLevel=warning`]);
  });

  test('of no module of ours, and of places that there are not: none', () => {
    expect(twinPaths('somebody', '', true)).toEqual([]);
    expect(twinPaths('../modules/rtspsim', '', true)).toEqual([]);
    expect(texts('nowhere.')).toEqual([]);
    expect(texts('nowhere[3].x=')).toEqual([]);
  });

  test('every module of the default deployment has its paths', () => {
    expect(twinModules().map(({ text }) => text)).toEqual(
      expect.arrayContaining(['BusinessLogicModule', 'VideoUploader', 'ai-pipeline', 'controllermodule']),
    );
    expect(twinPaths('ai-pipeline', 'outputV', true).map(({ text }) => text)).toContain('outputVideoLength=');
  });
});

test('bash takes path=value apart, and gets the value alone', async () => {
  const script = path.join(work, 'values.bash');
  writeFileSync(script, (await vantage(['completion', 'bash'])).stdout);
  const words = 'vantage twin set controllermodule azdaConfiguration.components.logLevel = w';
  const ask = `source ${script}; COMP_WORDS=(${words}); COMP_CWORD=6; _vantage; echo "\${COMPREPLY[@]}"`;
  const env = { ...process.env, PATH: `${work}:${process.env['PATH'] ?? ''}` };
  expect(spawnSync('bash', ['-c', ask], { env, encoding: 'utf8' }).stdout).toBe('warning\n');
});
