import { mkdir, mkdtemp, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mergeTwin, validateConfiguration, type TwinObject } from '@vantage/contracts';
import { prepare } from '../generate/prepare.ts';
import { init } from './init.ts';
import { nextSteps } from './next-steps.ts';

let root = '';
beforeAll(async () => void (root = await mkdtemp(path.join(tmpdir(), 'vantage-init-'))));
afterAll(() => rm(root, { recursive: true }));

interface Manifest {
  modulesContent: Record<string, { 'properties.desired': TwinObject }>;
}

describe('vantage init', () => {
  test('a folder whose template generates without a word, and whose twin change is valid', async () => {
    const folder = path.join(root, 'new');
    await mkdir(path.join(folder, '.git'), { recursive: true });
    const made = await init({ folder, node: 'night-watch', language: 'ts' });
    for (const file of made.files) expect(await readFile(path.join(folder, file), 'utf8')).not.toMatch(/__[A-Z]+__/);
    expect(await readlink(path.join(folder, 'node_modules/.bin/vantage'))).toMatch(/tools\/cli\/bin\/vantage\.mjs$/);
    expect(nextSteps('new', made, 'night-watch')).toContain('@twins/night-watch.json');

    const template = path.join(folder, 'deployment.template.json');
    const { made: manifest, problems } = await prepare(template, { style: 'iotedgedev' });
    expect(problems).toEqual([]);
    expect(manifest?.text).not.toMatch(/\$\{/);
    const { modulesContent } = JSON.parse(manifest?.text ?? '') as Manifest;
    expect(modulesContent['custom-node-host']?.['properties.desired']).toEqual({
      nodes: { 'night-watch': { folder: 'modules/night-watch', port: 6677 } },
    });
    const agent = modulesContent['$edgeAgent']?.['properties.desired'] as unknown as {
      modules: Record<string, { settings: { image: string } }>;
    };
    const images = Object.entries(agent.modules).map(([name, { settings }]) => [name, settings.image]);
    expect(Object.fromEntries(images)).toMatchObject({
      'ai-pipeline': 'localhost:5000/vantage/ai-pipeline:0.1.0-amd64',
      'custom-node-host': 'localhost:5000/vantage/custom-node-host:0.1.0-amd64',
    });

    const change = JSON.parse(await readFile(path.join(folder, 'twins/night-watch.json'), 'utf8')) as TwinObject;
    const twin = mergeTwin(modulesContent['controllermodule']?.['properties.desired'] ?? {}, change);
    expect(validateConfiguration(twin)).toMatchObject({ errors: [], warnings: [] });
  });

  test('nothing is written over, and a bad name leaves no folder behind', async () => {
    const folder = path.join(root, 'used');
    await mkdir(folder);
    await writeFile(path.join(folder, 'mine.txt'), 'mine');
    await expect(init({ folder, node: 'one', language: 'ts' })).rejects.toMatchObject({ code: 'SOLUTION_FOLDER_USED' });
    await expect(init({ folder: path.join(folder, 'mine.txt'), node: 'one', language: 'ts' })).rejects.toMatchObject({
      code: 'SOLUTION_FOLDER_USED',
    });
    expect(await readdir(folder)).toEqual(['mine.txt']);
    await expect(init({ folder: path.join(root, 'never'), node: '../up', language: 'ts' })).rejects.toMatchObject({
      code: 'NODE_NAME_INVALID',
    });
    expect(await readdir(root)).not.toContain('never');
  });
});
