import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { migrate } from '../migrate/migrate.ts';
import { checkManifestFile, problemsOf } from './check.ts';

let work: string;
beforeAll(() => void (work = mkdtempSync(path.join(os.tmpdir(), 'vantage-check-'))));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const messages = (text: string): string[] =>
  problemsOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`);

describe('a text that is no JSON', () => {
  test.each([
    ['nothing', '', /^1:1 not JSON: Expecting value; the file is empty$/],
    ['bytes', '\ufffd\ufffd$6{b4\ufffd', /^1:1 not JSON: Expecting value; it is no text in UTF-8$/],
    ['a comment', '{\n // "a": $X\n "b": 1 }', /^2:2 .*; comments are no JSON: remove them$/],
    ['a variable elsewhere', '{"a": "$X",\n "b" 1 }', /^2:6 not JSON: Expecting ':' delimiter$/],
    ['a variable there', '{"a": "$X",\n "b": ${Y} }', /^2:7 .*; not set: Y \(set it in the shell or in .env\)$/],
  ])('%s', (_what, text, message) => {
    expect(messages(text)).toEqual([expect.stringMatching(message)]);
  });
});

test('what JSON allows and nobody means: a key twice, bytes that are no UTF-8', () => {
  const text =
    '{"modulesContent": {\n "$edgeAgent": {"properties.desired": {}},\n "$edgeAgent": {"properties.desired": {"modules": {}, "systemModules": {}, "a": "M\ufffdller"}}}}';
  expect(messages(text)).toEqual(
    expect.arrayContaining([
      '3:2 "$edgeAgent" stands in this object already: only the last one counts',
      '3:83 bytes that are no UTF-8 are lost here: save the file as UTF-8',
    ]),
  );
});

describe('files', () => {
  let shown = '';
  beforeEach(() => {
    shown = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => (shown += String(text)) !== '');
  });
  afterEach(() => void jest.restoreAllMocks());

  test('a template is looked at with its variables, a manifest as it stands', async () => {
    const settings = { image: 'here/cam:${TAG}', createOptions: '{}' };
    const module = { type: 'docker', status: 'running', restartPolicy: 'always', settings };
    const runtime = { type: 'docker', settings: { minDockerVersion: 'v1.25' } };
    const systemModules = { edgeAgent: { type: 'docker', settings: { image: 'agent:1.5' } }, edgeHub: module };
    const agent = { schemaVersion: '1.1', runtime, systemModules, modules: { cam: { ...module, version: '1' } } };
    const hub = { schemaVersion: '1.1', routes: {}, storeAndForwardConfiguration: { timeToLiveSecs: 60 } };
    const content = { $edgeAgent: { 'properties.desired': agent }, $edgeHub: { 'properties.desired': hub } };
    for (const name of ['a.template.json', 'a.json']) {
      writeFileSync(path.join(work, name), JSON.stringify({ modulesContent: content }));
    }
    writeFileSync(path.join(work, '.env'), 'TAG=1\n');
    await checkManifestFile(path.join(work, 'a.template.json'), {});
    expect(shown).toMatch(/a\.template\.json: nothing to complain about\n$/);
    await checkManifestFile(path.join(work, 'a.json'), {});
    expect(shown).toContain('"here/cam:${TAG}" has a variable that is not set');
  });

  test('what a template leaves open, all at once, also where it is no JSON', async () => {
    const file = path.join(work, 'b.template.json');
    writeFileSync(file, '{"a": "$X",\n "b": ${Y},\n "c": ${Z} }');
    await checkManifestFile(file, {});
    expect(shown).toMatch(/1:1: warning: not set, and left as they are: X, Y, Z /);
    expect(shown).toMatch(/2:7: error: not JSON.*; not set: Y /);
  });

  test("a template's modules are those beside it; one that is not there is named", async () => {
    const folder = path.join(work, 'solution');
    mkdirSync(path.join(folder, 'modules/cam'), { recursive: true });
    const image = { repository: 'here/cam', tag: { version: '1', platforms: { amd64: 'Dockerfile' } } };
    writeFileSync(path.join(folder, 'modules/cam/module.json'), JSON.stringify({ image }));
    const module = (name: string): object => ({
      ...{ type: 'docker', version: '1', status: 'running', restartPolicy: 'always' },
      settings: { image: `\${MODULES.${name}}`, createOptions: {} },
    });
    const agent = {
      schemaVersion: '1.1',
      runtime: {},
      systemModules: {},
      modules: { cam: module('cam'), cat: module('cat') },
    };
    const file = path.join(folder, 'a.template.json');
    const hub = { schemaVersion: '1.1', routes: {}, storeAndForwardConfiguration: { timeToLiveSecs: 60 } };
    const content = { $edgeAgent: { 'properties.desired': agent }, $edgeHub: { 'properties.desired': hub } };
    writeFileSync(file, JSON.stringify({ modulesContent: content }));
    await checkManifestFile(file, {});
    expect(shown).toContain('warning: no module.json gives ${MODULES.cat} an image');
    expect(shown).not.toContain('MODULES.cam}');
  });

  test('a folder is named as one', async () => {
    await expect(checkManifestFile(work, {})).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: `${work} is a folder: name a file in it`,
    });
  });

  test('a deployment to be migrated that is no JSON is pointed at, too', async () => {
    const file = path.join(work, 'old.json');
    writeFileSync(file, '{"modulesContent": {},\r\n}');
    await expect(migrate([file], {})).rejects.toMatchObject({
      message: expect.stringMatching(/old\.json:2:1: not JSON: .*; remove the comma before it$/),
    });
  });

  test('of what is no deployment and no twin there is no advice', async () => {
    const file = path.join(work, 'foreign.json');
    writeFileSync(file, '{"a": 1}');
    await expect(migrate([file], {})).rejects.toMatchObject({ code: 'DEPLOYMENT_INVALID' });
    expect(shown).toBe('');
  });
});
