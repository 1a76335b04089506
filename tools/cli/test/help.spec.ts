import { expect, jest, test } from '@jest/globals';
import type { CommandFacts } from '../src/completion/command-tree.ts';
import { DEFAULT_STATE } from '../src/state-option.ts';
import { DEFAULT_STATE as OF_THE_HUB } from '@vantage/hub';
import { vantage } from './fixtures/cli.ts';

jest.setTimeout(60_000);

/** They have no result: a script for a shell, and a server that runs until Ctrl-C. */
const WITHOUT_RESULT = ['completion', 'player'];

test('every command says what it does, what each option is, its exit status, and takes --json', async () => {
  const { status, stdout } = await vantage(['__complete', '--tree']);
  expect(status).toBe(0);
  const commands = JSON.parse(stdout) as CommandFacts[];
  expect(commands.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['init', 'up', 'twin set', 'deploy rollback', 'image push', 'restart']),
  );
  const without = (lacks: (command: CommandFacts) => boolean): string[] =>
    commands.filter(lacks).map(({ name }) => name);
  expect(without(({ description }) => description.length < 10)).toEqual([]);
  expect(without(({ options }) => options.some(({ description }) => description === ''))).toEqual([]);
  expect(without(({ after, description }) => !/\b[Ss]tatus \d/.test(`${after}${description}`))).toEqual([]);
  const silent = without(({ options }) => !options.some(({ flags }) => flags.includes('--json')));
  expect(silent.filter((name) => !WITHOUT_RESULT.includes(name))).toEqual([]);
});

test('the default folder is the same here and in the library', () => {
  expect(DEFAULT_STATE).toBe(OF_THE_HUB);
});
