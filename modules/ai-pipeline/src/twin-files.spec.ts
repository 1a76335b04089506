import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { AI_PIPELINE_DEFAULTS, readAiPipelineTwin } from '@vantage/contracts';

function readFile(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')) as Record<string, unknown>;
}

test('the default twin says in words what an empty one means', () => {
  const twin = readFile('twin.default.json');
  expect(twin).toEqual(AI_PIPELINE_DEFAULTS);
  expect(readAiPipelineTwin(twin)).toEqual(readAiPipelineTwin({}));
});

test('the schema for editors is the generated one', () => {
  const schema = readFile(String(readFile('twin.schema.json')['$ref']));
  expect(Object.keys(schema['properties'] as object).sort()).toEqual(Object.keys(AI_PIPELINE_DEFAULTS).sort());
});
