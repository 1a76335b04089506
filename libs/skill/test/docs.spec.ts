import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { validateComponents } from '@vantage/contracts';
import { compileSkills, parseSkill } from '../src/index.ts';
import { NODE_TYPES } from '../src/document/nodes/registry.ts';
import { issuesOf } from './skill-fixture.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8');
const page = read('../../../docs/skills.md');

test('the twin of docs/skills.md runs', () => {
  const [, text] = /```json\n([\s\S]*?)```/.exec(page)!;
  const { components, errors, warnings } = validateComponents(JSON.parse(text!));
  expect([errors, warnings]).toEqual([[], []]);
  const { graphs, issues } = compileSkills(components!);
  expect(issues).toEqual([]);
  expect(graphs.map(({ id, nodes }) => [id, nodes.map(({ kind }) => kind)])).toEqual([
    ['door-west', ['source', 'model', 'tracker', 'rule', 'export']],
  ]);
});

test('docs/skills.md names every type of node', () => {
  for (const { type, name } of NODE_TYPES)
    expect(page).toContain(name === undefined ? '| model, its name' : `| ${type} \`${name}\``);
});

test('examples/door.yaml is right', () => {
  const text = read('../examples/door.yaml');
  expect(parseSkill(text).document!.nodes).toHaveLength(8);
  expect(issuesOf(text)).toEqual([]);
});
