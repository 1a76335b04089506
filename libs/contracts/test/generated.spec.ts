import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { jsonSchemaFiles } from '../src/json-schemas.ts';

const library = fileURLToPath(new URL('..', import.meta.url));
const read = (...parts: string[]) => readFileSync(path.join(...parts), 'utf8');

/** When one of these fails: `npm run gen`, and commit the result. */
describe('generated files are those that the sources give', () => {
  test('schemas/', () => {
    const committed = readdirSync(path.join(library, 'schemas')).map((name) => [name, read(library, 'schemas', name)]);
    expect(Object.fromEntries(committed)).toEqual(Object.fromEntries(jsonSchemaFiles()));
  });

  test('src/generated/', () => {
    const out = mkdtempSync(path.join(tmpdir(), 'vantage-gen-'));
    try {
      const bin = path.join(library, '../../node_modules/.bin');
      const env = { ...process.env, PATH: [path.dirname(process.execPath), process.env['PATH']].join(path.delimiter) };
      execFileSync(path.join(bin, 'buf'), ['generate', '--output', out], { cwd: library, env, stdio: 'pipe' });
      const committed = path.join(library, 'src/generated');
      const fresh = path.join(out, 'src/generated');
      expect(readdirSync(fresh).sort()).toEqual(readdirSync(committed).sort());
      for (const name of readdirSync(fresh)) expect(read(committed, name)).toBe(read(fresh, name));
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});
