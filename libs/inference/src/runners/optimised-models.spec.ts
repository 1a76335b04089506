import { mkdtempSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { withOptimisedModel } from './optimised-models.ts';

const MODEL = Uint8Array.of(1, 2, 3);

describe('withOptimisedModel', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-optimised-'));
  });

  const openers = {
    load: (file: string) =>
      readFileSync(file, 'utf8') === 'good' ? Promise.resolve('loaded') : Promise.reject(new Error('damaged')),
    make: (file?: string) => {
      if (file !== undefined) writeFileSync(file, 'good');
      return Promise.resolve(file === undefined ? 'made without a file' : 'made');
    },
  };
  const open = (model = MODEL, version = '1') => withOptimisedModel(model, folder, version, openers);

  test('makes a file once for each model and version', async () => {
    expect([await open(), await open(), await open(MODEL, '2'), await open(Uint8Array.of(9))]).toEqual([
      'made',
      'loaded',
      'made',
      'made',
    ]);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  test('a file that does not load is made anew', async () => {
    await open();
    const [name] = readdirSync(folder);
    writeFileSync(path.join(folder, name!), 'bad');
    expect(await open()).toBe('made');
    expect(await open()).toBe('loaded');
  });

  test('a folder that cannot be written costs time only', async () => {
    const file = path.join(folder, 'a-file');
    writeFileSync(file, '');
    expect(await withOptimisedModel(MODEL, file, '1', openers)).toBe('made without a file');
  });

  test('what is wrong with the model reaches the caller, and no draft stays', async () => {
    const make = () => Promise.reject(new Error('no such operator'));
    await expect(withOptimisedModel(MODEL, folder, '1', { ...openers, make })).rejects.toThrow('no such operator');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('keeps 32 files, the newest', async () => {
    for (let i = 0; i < 40; i += 1) {
      const file = path.join(folder, `${i}.onnx`);
      writeFileSync(file, 'good');
      utimesSync(file, i, i);
    }
    await open();
    const names = readdirSync(folder);
    expect(names).toHaveLength(32);
    expect(names).not.toContain('8.onnx');
    expect(names).toContain('9.onnx');
  });
});
