import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createNode, linkSdk } from './create-node.ts';

const run = promisify(execFile);
const python = [process.env['VANTAGE_PYTHON'] ?? '/usr/bin/python3', 'python3'].find(
  (command) => spawnSync(command, ['-c', 'import grpc, google.protobuf, numpy']).status === 0,
);
const without = 'no Python with grpcio, protobuf and numpy';
let root = '';

beforeAll(async () => {
  if (!python) process.stderr.write(`vantage node new --language python: test skipped, ${without}\n`);
  root = await mkdtemp(path.join(tmpdir(), 'vantage-node-new-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('vantage node new', () => {
  test('a node in TypeScript passes its own test, outside of the repository', async () => {
    const { folder, className, files } = await createNode({
      name: 'night-watch',
      language: 'ts',
      dir: path.join(root, 'ts'),
    });
    expect(className).toBe('NightWatch');
    expect(files).toEqual(
      expect.arrayContaining(['node.ts', 'node.test.ts', 'Dockerfile', 'module.json', 'README.md']),
    );
    for (const file of files) expect(await readFile(path.join(folder, file), 'utf8')).not.toMatch(/__[A-Z]+__/);
    const json = JSON.parse(await readFile(path.join(folder, 'module.json'), 'utf8')) as {
      image: { repository: string };
    };
    expect(json.image.repository).toBe('night-watch');
    const tested = await run(process.execPath, ['--test'], { cwd: folder });
    expect(tested.stdout).toMatch(/pass 2\n/);
  }, 60_000);

  (python ? test : test.skip)(
    'a node in Python passes its own test with the SDK beside it',
    async () => {
      const { folder, files } = await createNode({
        name: 'Night_Watch',
        language: 'python',
        dir: path.join(root, 'py'),
      });
      expect(files).toEqual(
        expect.arrayContaining(['node.py', 'test_node.py', 'Dockerfile', 'module.json', 'requirements.txt']),
      );
      const environment = { ...process.env, PYTHONPATH: '', PYTHONDONTWRITEBYTECODE: '1' };
      const { stderr } = await run(python ?? '', ['-m', 'unittest'], { cwd: folder, env: environment });
      expect(stderr).toMatch(/Ran 2 tests[^]*\nOK\n$/);
    },
    60_000,
  );

  test('nothing is written over', async () => {
    const dir = path.join(root, 'used');
    await createNode({ name: 'one', language: 'python', dir });
    await writeFile(path.join(dir, 'node.py'), 'mine');
    await expect(createNode({ name: 'two', language: 'ts', dir })).rejects.toThrow('not an empty folder');
    await expect(createNode({ name: 'two', language: 'ts', dir: path.join(dir, 'node.py') })).rejects.toMatchObject({
      code: 'NODE_FOLDER_USED',
    });
    expect(await readFile(path.join(dir, 'node.py'), 'utf8')).toBe('mine');
    expect(await readdir(dir)).not.toContain('node.ts');
  });

  test.each(['', 'a b', '1st', '../up', 'a--b', 'x'.repeat(65), 'a\nb'])('the name %j is refused', async (name) => {
    const dir = path.join(root, 'never');
    await expect(createNode({ name, language: 'ts', dir })).rejects.toMatchObject({ code: 'NODE_NAME_INVALID' });
    await expect(stat(dir)).rejects.toThrow('ENOENT');
  });

  test('links that lead nowhere are made again', async () => {
    const { folder } = await createNode({ name: 'moved', language: 'ts', dir: path.join(root, 'moved') });
    expect(await linkSdk(folder)).toBe(false);
    const link = path.join(folder, 'node_modules/@vantage/custom-node');
    await rm(link);
    await symlink('/nowhere/custom-node', link);
    expect(await linkSdk(folder)).toBe(true);
    expect(await readdir(link)).toContain('package.json');
  });
});
