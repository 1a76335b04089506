import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { REPOSITORY } from './support/assets.ts';

let work: string;
let cache: string;

beforeAll(() => {
  work = mkdtempSync(path.join(os.tmpdir(), 'vantage-stripped-'));
  mkdirSync(path.join(work, 'tools/bootstrap'), { recursive: true });
  // A copy keeps its files beside itself, and so not in the real folder.
  cpSync(
    path.join(REPOSITORY, 'tools/bootstrap/stripped-once.mjs'),
    path.join(work, 'tools/bootstrap/stripped-once.mjs'),
  );
  cache = path.join(work, 'node_modules/.cache/vantage', process.version, 'stripped');
  writeFileSync(path.join(work, 'package.json'), '{"type":"module"}');
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

function run(source: string): string {
  writeFileSync(path.join(work, 'program.ts'), source);
  const hooks = pathToFileURL(path.join(work, 'tools/bootstrap/stripped-once.mjs')).href;
  const args = ['--disable-warning=ExperimentalWarning', `--import=${hooks}`, path.join(work, 'program.ts')];
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe', env: { PATH: process.env['PATH'] } });
}

const kept = (): string[] => readdirSync(cache).filter((name) => name.endsWith('.js'));
const print = (text: string): string =>
  `interface A { a: string }\nconst { a }: A = { a: '${text}' };\nconsole.log(a);\n`;

test('a file is stripped once, a changed one again, threads too', () => {
  expect(run(print('one'))).toBe('one\n');
  expect(kept()).toHaveLength(1);
  expect(readFileSync(path.join(cache, kept()[0]!), 'utf8')).not.toContain('interface');
  expect([run(print('one')), kept().length]).toEqual(['one\n', 1]);
  expect([run(print('two')), kept().length]).toEqual(['two\n', 2]);
  const threads = `import { Worker, isMainThread } from 'node:worker_threads';
if (isMainThread) new Worker(new URL(import.meta.url)); else console.log((process.execArgv as string[]).length);`;
  expect([run(threads), kept().length]).toEqual(['2\n', 3]);
});

test('what is kept is what runs', () => {
  run(print('kept'));
  for (const name of kept()) {
    const file = path.join(cache, name);
    writeFileSync(file, readFileSync(file, 'utf8').replace("'kept'", "'from the folder'"));
  }
  expect(run(print('kept'))).toBe('from the folder\n');
});

test('positions stay, and a mistake is said in the words of Node', () => {
  const failing = `type A = string;\nconst a: A = 'x';\nthrow new Error(a);\n`;
  expect(() => run(failing)).toThrow(/program\.ts:3\n/);
  expect(() => run('enum A { B }')).toThrow(/ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX/);
  expect(() => run('const = 1')).toThrow(/ERR_INVALID_TYPESCRIPT_SYNTAX/);
});

test('without a place to keep it everything works', () => {
  rmSync(path.join(work, 'node_modules'), { recursive: true });
  writeFileSync(path.join(work, 'node_modules'), 'no folder');
  expect(run(print('three'))).toBe('three\n');
  expect(existsSync(cache)).toBe(false);
});

test('a folder that has grown too large is begun anew', () => {
  rmSync(path.join(work, 'node_modules'), { recursive: true });
  mkdirSync(cache, { recursive: true });
  for (let i = 0; i <= 5000; i++) writeFileSync(path.join(cache, `${i}.js`), '');
  expect(run(print('four'))).toBe('four\n');
  expect(kept()).toHaveLength(1);
});
