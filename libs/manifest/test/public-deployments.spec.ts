import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { validateConfiguration } from '@vantage/contracts';
import {
  finishTemplate,
  generateManifest,
  inspectDeployment,
  parseJson,
  pathText,
  suggestImprovements,
  type Json,
} from '../src/index.ts';

const ASSETS = path.resolve(import.meta.dirname, '../../..', process.env['VANTAGE_ASSETS'] ?? '../shared/assets');
const found = existsSync(ASSETS);
if (!found) process.stderr.write(`skipped: no assets at ${ASSETS} (set VANTAGE_ASSETS)\n`);
const filesOf = (folder: string, prefix = ''): string[] =>
  found ? readdirSync(path.join(ASSETS, folder)).filter((name) => name.startsWith(prefix)) : ['none'];
const read = (folder: string, name: string): Json => parseJson(readFileSync(path.join(ASSETS, folder, name), 'utf8'));
const suggestions = (manifest: Json): string[] =>
  suggestImprovements(manifest).map(({ path: at, what, advice }) => `${pathText(at)}: ${what}: ${advice}`);

(found ? describe : describe.skip)('what people have of Azure DeepStream Accelerator', () => {
  test.each(filesOf('iotedge', 'AzureDeepStreamAccelerator'))('%s becomes a manifest, unchanged', async (name) => {
    const templatePath = path.join(ASSETS, 'iotedge', name);
    const { manifest } = await generateManifest({
      templatePath,
      templateText: readFileSync(templatePath, 'utf8'),
      env: {},
    });
    expect(inspectDeployment(manifest).filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  test.each(filesOf('azda-twins'))('the twin %s is read, and what is said of it names a place', (name) => {
    const text = readFileSync(path.join(ASSETS, 'azda-twins', name), 'utf8');
    const { components } = validateConfiguration(JSON.parse(text));
    // The failure cases fail in parts only: what is right in them runs.
    if (!name.includes('failure-case')) expect(components).toBeDefined();
    for (const one of suggestImprovements(parseJson(text))) expect(one.path.length).toBeGreaterThan(2);
  });

  test('the default template: secrets upstream, an uploader without a route, an old runtime', () => {
    const [name = ''] = filesOf('iotedge', 'AzureDeepStreamAccelerator__ds-ai-pipeline__x86_64');
    const manifest = read('iotedge', name);
    finishTemplate(manifest);
    const told = suggestions(manifest);
    expect(told).toContainEqual(expect.stringMatching(/routes\.ControllerToIoTHub: carries .* passwords/));
    expect(told).toContainEqual(
      expect.stringContaining('VideoUploader tells (a copy of the JSON of each clip) takes no'),
    );
    expect(told).toContainEqual(expect.stringContaining('use mcr.microsoft.com/azureiotedge-hub:1.5'));
    expect(told).toContainEqual(expect.stringContaining('add "AIPipelineToController"'));
    expect(told).toContainEqual(expect.stringMatching(/BLOB_STORAGE_ACCOUNT_KEY: a credential/));
  });

  test('a twin: a package without its hash, GStreamer text', () => {
    const twin = (name: string): string[] => suggestions(read('azda-twins', name));
    const pipelineConfigs = [
      { id: 'Cars', unsecureZipUrl: 'http://files/cars.zip' },
      { sha256: 'x', unsecureZipUrl: 'https://f/c.zip' },
    ];
    const mine = { azdaConfiguration: { components: { deepStream: { pipelineConfigs } } } };
    expect(suggestions(parseJson(JSON.stringify(mine)))).toEqual([
      expect.stringMatching(/pipelineConfigs\[0\]\.unsecureZipUrl: a package that nobody verifies/),
      expect.stringMatching(/pipelineConfigs\[0\]\.unsecureZipUrl: a package over plain HTTP/),
    ]);
    expect(twin('011-ds-passthrough-basic.json').join()).toContain('GStreamer text, which is not run here');
    expect(twin('000-basic.json')).toEqual([]);
  });
});

test('our own default deployment needs none of it but the credentials that the contract has there', () => {
  const file = path.resolve(import.meta.dirname, '../../../deployment.template.json');
  const told = suggestions(parseJson(readFileSync(file, 'utf8')));
  expect(told).toEqual([
    expect.stringMatching(/VideoUploader\.env\.IOTHUB_DEVICE_CONNECTION_STRING: a credential that everybody sees/),
    expect.stringMatching(/VideoUploader\.env\.BLOB_STORAGE_ACCOUNT_KEY: a credential that everybody sees/),
  ]);
});

test.each([[null], [[]], [{}], [{ azdaConfiguration: 3 }], [{ modulesContent: [] }]])(
  'nothing is thrown for %j',
  (value) => {
    expect(suggestImprovements(parseJson(JSON.stringify(value)))).toEqual([]);
  },
);
