import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkOnnxFile } from '../src/index.ts';

const ASSETS = path.resolve(process.env.VANTAGE_ASSETS ?? path.join(import.meta.dirname, '../../../../shared/assets'));
const withAssets = existsSync(ASSETS) ? test : test.skip;
if (!existsSync(ASSETS)) process.stderr.write(`skipped: no test assets at ${ASSETS} (set VANTAGE_ASSETS)\n`);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vantage-onnx-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** ir_version 8, graph { name "g" }, opset_import { version 17 }. */
const SMALL = Buffer.from([0x08, 8, 0x3a, 3, 0x12, 1, 0x67, 0x42, 2, 0x10, 17]);

async function write(content: string | Buffer): Promise<string> {
  const file = path.join(folder, 'model.onnx');
  await writeFile(file, content);
  return file;
}

describe('checkOnnxFile', () => {
  test('takes a model', async () => {
    await expect(checkOnnxFile(await write(SMALL))).resolves.toBeUndefined();
  });

  test.each<[string, string | Buffer, RegExp]>([
    ['empty', '', /empty \(0 bytes\)/],
    ['LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n', /Git LFS pointer/],
    ['web page', '\uFEFF<!doctype html><title>Sign in</title>', /a web page/],
    ['JSON', '{"error": "not found"}', /a JSON text/],
    ['zip', Buffer.from('PK\u0003\u0004rest', 'latin1'), /a zip archive/],
    ['text', 'layer conv1 3x3\n', /its first bytes are not those of one/],
    ['zeros', Buffer.alloc(100), /its first bytes/],
    ['cut in the graph', SMALL.subarray(0, 6), /cut short/],
    ['cut in a length', Buffer.from([0x08, 8, 0x3a, 0xff]), /cut short/],
    ['no graph', SMALL.subarray(0, 2), /holds no graph/],
    ['something behind', Buffer.concat([SMALL, Buffer.from([0xff, 0xff])]), /at byte 11 of 13/],
  ])('refuses: %s', async (_, content, text) => {
    await expect(checkOnnxFile(await write(content))).rejects.toMatchObject({
      code: 'MODEL_FILE_NOT_ONNX',
      message: expect.stringMatching(text),
    });
  });

  test('refuses what is not there, or a folder', async () => {
    await expect(checkOnnxFile(path.join(folder, 'no.onnx'))).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    await expect(checkOnnxFile(folder)).rejects.toMatchObject({
      code: 'MODEL_FILE_NOT_ONNX',
      message: expect.stringMatching(/folder/),
    });
  });

  withAssets('takes every real model, refuses each when cut, and a real LFS pointer', async () => {
    const models = (await readdir(path.join(ASSETS, 'models'))).filter((name) => name.endsWith('.onnx'));
    expect(models.length).toBeGreaterThan(5);
    for (const name of models) {
      const file = path.join(ASSETS, 'models', name);
      await expect(checkOnnxFile(file)).resolves.toBeUndefined();
      const bytes = await readFile(file);
      await expect(checkOnnxFile(await write(bytes.subarray(0, bytes.length / 2)))).rejects.toMatchObject({
        code: 'MODEL_FILE_NOT_ONNX',
      });
    }
    await copyFile(path.join(ASSETS, 'negative', 'lfs-pointer.onnx'), path.join(folder, 'pointer.onnx'));
    await expect(checkOnnxFile(path.join(folder, 'pointer.onnx'))).rejects.toMatchObject({
      message: expect.stringMatching(/git lfs pull/),
    });
  });
});
