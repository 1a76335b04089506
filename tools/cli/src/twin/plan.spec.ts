import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Hub, twinHistory } from '@vantage/hub';
import { planTwin } from '@vantage/skill';
import { changeText, diffDeployments, diffValues } from '../deploy/diff.ts';
import { showHistory } from '../hub/show-history.ts';
import { isMistyped } from './change.ts';
import { printPlan } from './print-plan.ts';
import { readPatch } from './read-patch.ts';

let work: string;
let shown = '';
beforeAll(() => void (work = mkdtempSync(path.join(os.tmpdir(), 'vantage-plan-'))));
afterAll(() => rmSync(work, { recursive: true, force: true }));
beforeEach(() => {
  shown = '';
  jest
    .spyOn(process.stdout, 'write')
    .mockImplementation((text) => (shown += stripVTControlCharacters(String(text))) !== '');
});
afterEach(() => void jest.restoreAllMocks());

test('a plan with errors has a status of its own', async () => {
  const from = path.join(work, 'from.json');
  writeFileSync(from, '{"outputVideoLength": 10}');
  const plan = (patch: string): Promise<number> => printPlan('ai-pipeline', patch, { state: work, from, json: true });
  expect(await plan('{"outputVideoLength": 20}')).toBe(0);
  expect(JSON.parse(shown)).toMatchObject({ refused: false, issues: [] });
  expect(await plan('{"outputVideoLength": "long"}')).toBe(1);
});

test('a key that was typed and is not known is a mistake; one that somebody else put there is none', () => {
  const plan = planTwin('ai-pipeline', {}, { outputVideoLenght: 5 });
  expect(isMistyped(plan, ['outputVideoLenght'])).toBe(true);
  expect(isMistyped(plan, ['outputVideoLength'])).toBe(false);
  expect(isMistyped(plan)).toBe(false);
});

test('a patch file that is no JSON is pointed at', async () => {
  const file = path.join(work, 'patch.json');
  writeFileSync(file, '{"a": 1,\n "b" 2}');
  await expect(readPatch(`@${file}`)).rejects.toThrow(`${file}:2:6 is not JSON: Expecting ':' delimiter`);
  await expect(readPatch('{"a": NaN}')).rejects.toMatchObject({ code: 'PATCH_INVALID' });
});

test('names that every object has by itself are names like any', () => {
  const hostile = JSON.parse('{"constructor": {"x": 1}, "toString": 5, "__proto__": {"y": 1}}') as object;
  expect(diffValues(hostile, {}).map(changeText)).toEqual([
    'constructor is gone',
    'toString is gone',
    '__proto__ is gone',
  ]);
  expect(diffValues({}, hostile).map(changeText)).toEqual([
    'constructor is new',
    'toString is new',
    '__proto__ is new',
  ]);
  const twins = { constructor: { 'properties.desired': { a: 1 } } };
  expect(diffDeployments({}, twins)).toMatchObject([{ what: 'twin', name: 'constructor', how: 'added' }]);
});

test('an empty twin is none, and a change fits into a line', () => {
  expect(diffDeployments({}, { rtspsim: { 'properties.desired': {} } })).toEqual([]);
  expect(diffDeployments({ a: { 'properties.desired': { b: 1 } } }, { a: { 'properties.desired': {} } })).toHaveLength(
    1,
  );
  const changes = diffValues(
    { list: [1], password: 'one', gone: 1 },
    { list: [2], password: 'two', more: 'x'.repeat(99) },
  );
  expect(changes.map(changeText)).toEqual(['list[0]: 1 -> 2', 'password: *** -> ***', 'gone is gone', 'more is new']);
});

test('history says what each change made of it, newest first', async () => {
  const hub = new Hub({} as never, 'local', 'gate', () => ({}) as never, 'local-x');
  const history = twinHistory(hub, 'ai-pipeline', { VANTAGE_HOME: work });
  await showHistory(history, false, {}, () => []);
  expect(shown).toBe('nothing was replaced yet\n');
  await history.add({ length: 10 });
  await history.add({ length: 20 });
  const changes = (before: object, after: object): string[] => diffValues(before, after).map(changeText);
  shown = '';
  await showHistory(history, false, { length: 30 }, changes);
  expect(shown).toMatch(/^1 .*Z +\d s ago +length: 20 -> 30\n2 .*Z +\d s ago +length: 10 -> 20\nin .*ai-pipeline\n$/m);
  shown = '';
  await showHistory(history, true, undefined, changes);
  expect(JSON.parse(shown)).toMatchObject([{ steps: 1 }, { steps: 2, changes: ['length: 10 -> 20'] }]);
});
