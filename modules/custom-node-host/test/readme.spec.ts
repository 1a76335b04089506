import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { generateManifest } from '@vantage/manifest';
import { readHostTwin } from '../src/index.ts';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const [twin, module] = [...readme.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text!) as unknown);

test('the twin of the README is a good one, but for its digest', () => {
  const { nodes, errors } = readHostTwin(twin);
  expect(nodes.map(({ name }) => name)).toEqual(['privacy', 'mine']);
  expect(errors).toMatchObject([{ path: 'nodes.theirs.zip.sha256' }]);
});

test('with the module of the README the default template becomes a manifest', async () => {
  const templatePath = `${repository}/deployment.template.json`;
  const template = JSON.parse(readFileSync(templatePath, 'utf8')) as {
    modulesContent: Record<string, { 'properties.desired': { modules: object } }>;
  };
  Object.assign(template.modulesContent['$edgeAgent']!['properties.desired'].modules, module);
  Object.assign(template.modulesContent, { 'custom-node-host': { 'properties.desired': twin } });
  const { text } = await generateManifest({
    templatePath,
    templateText: JSON.stringify(template),
    modulesPath: `${repository}/modules`,
    env: {
      DEMO_MODEL_CONFIG: 'x',
      CONTAINER_REGISTRY_NAME: 'r',
      CONTAINER_REGISTRY_USERNAME: 'u',
      CONTAINER_REGISTRY_PASSWORD: 'p',
    },
  });
  const manifest = JSON.parse(text) as typeof template;
  expect(manifest.modulesContent['$edgeAgent']!['properties.desired'].modules).toMatchObject({
    'custom-node-host': { settings: { image: expect.stringMatching(/^vantage\/custom-node-host:0\.1\.0-/) } },
  });
});
