import { expect, test } from '@jest/globals';
import type { Twin } from '@vantage/hub';
import { progressOf } from './progress.ts';

function twin(moduleId: string, desired: object, reported: object): Twin {
  const sides = { desired: { $version: 3, ...desired }, reported };
  return { deviceId: 'd', moduleId, etag: '', properties: sides } as unknown as Twin;
}

const TAKEN = { lastDesiredVersion: 3, lastDesiredStatus: { code: 200 } };

function stateOf(wanted: object, said: object, agent: object = TAKEN): string {
  const modules = (one: object): object => ({ modules: { cam: one } });
  const {
    state,
    modules: [cam],
  } = progressOf(
    twin('$edgeAgent', modules(wanted), { ...agent, ...modules(said) }),
    twin('$edgeHub', {}, TAKEN),
    new Map(),
  );
  return `${state}: ${cam?.text ?? ''}`;
}

test.each([
  ['one/cam:1', 'one/cam:1', true],
  ['ubuntu', 'ubuntu:latest', true],
  [' here:5000/cam ', 'here:5000/cam:latest', true],
  ['$upstream:443/site/cam:1', 'parent:443/site/cam:1', true],
  ['$upstream/site/cam', 'parent.example/site/cam:latest', true],
  ['$upstream:443/site/cam:2', 'parent:443/site/cam:1', false],
  ['one/cam:2', 'one/cam:1', false],
  ['one/cam', 'two/cam', false],
  ['one/cam', undefined, false],
  ['no image: at all', 'one/cam:1', false],
])('%j that runs as %j', (image, runs, isSame) => {
  const said = { runtimeStatus: 'running', settings: { image: runs } };
  expect(stateOf({ status: 'running', settings: { image } }, said)).toBe(
    isSame ? 'well: running' : `waiting: waiting for ${image}`,
  );
});

test('a version that the agent has not taken, a refusal, a module that is not to run, one that cannot', () => {
  const settings = { image: 'cam:1' };
  const running = { runtimeStatus: 'running', settings };
  const old = { lastDesiredVersion: 2, lastDesiredStatus: { code: 500 } };
  expect(stateOf({ status: 'running', settings }, running, old)).toBe('waiting: waiting for cam:1');
  const refused = { lastDesiredVersion: 3, lastDesiredStatus: { code: 400, description: 'no runtime' } };
  expect(stateOf({ status: 'running', settings }, running, refused)).toMatch(/^failed/);
  expect(stateOf({ status: 'stopped', settings }, { runtimeStatus: 'stopped', settings })).toBe('well: stopped');
  const dead = { runtimeStatus: 'failed', statusDescription: 'no GPU', settings };
  expect(stateOf({ status: 'running', settings }, dead)).toBe('failed: failed: no GPU');
});
