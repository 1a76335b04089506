import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pythonCandidates, pythonComplaint } from './python.ts';

describe('interpreters of Python', () => {
  let folder: string;
  const fake = async (name: string, script: string): Promise<string> => {
    await mkdir(path.join(folder, name));
    const file = path.join(folder, name, 'python3');
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    return file;
  };
  beforeAll(async () => void (folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-python-'))));
  afterAll(() => rm(folder, { recursive: true }));

  test('the variable counts alone; else the PATH and the system, in the order that is asked for', async () => {
    const own = await fake('own', 'exit 0');
    await writeFile(path.join(folder, 'python3'), 'no program');
    const env = { PATH: [folder, path.dirname(own)].join(path.delimiter) };
    const wish = { variable: 'MY_PYTHON', first: 'path' } as const;
    expect(pythonCandidates(wish, { ...env, MY_PYTHON: '/nowhere/python3' })).toEqual(['/nowhere/python3']);
    const found = pythonCandidates(wish, { ...env, MY_PYTHON: '' });
    expect(found[0]).toBe(own);
    expect(pythonCandidates({ ...wish, first: 'system' }, env)).toEqual([...found.slice(1), own]);
  });

  test('what is wrong with one is said in its own words', async () => {
    const needs = { version: [3, 8], packages: ['numpy'] } as const;
    const env = { PATH: process.env['PATH'] };
    expect(await pythonComplaint('/nowhere/python3', needs, env)).toBe('there is no such program');
    expect(await pythonComplaint(await fake('mute', 'exit 1'), needs, env)).toBe('it does not run');
    expect(await pythonComplaint(await fake('good', 'exit 0'), needs, env)).toBeUndefined();
    const bare = await fake('bare', 'echo "ModuleNotFoundError: No module named \'numpy\'" >&2; exit 1');
    expect(await pythonComplaint(bare, needs, env)).toBe("No module named 'numpy'");
  });
});
