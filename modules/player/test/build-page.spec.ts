import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { codeOf } from '@vantage/contracts';
import { buildPage } from '../src/index.ts';

const web = mkdtempSync(path.join(os.tmpdir(), 'player-build-'));
const told: string[] = [];
const build = (): Promise<string | undefined> =>
  buildPage(web, (line) => told.push(line), new AbortController().signal);
afterAll(() => rmSync(web, { recursive: true, force: true }));

test('the page is built once for its sources, also where two Players begin at the same time', async () => {
  expect(await build()).toBeUndefined();
  writeFileSync(path.join(web, 'index.html'), '<title>one</title>');
  const dist = path.join(web, 'dist');
  expect(await Promise.all([build(), build()])).toEqual([dist, dist]);
  expect(readFileSync(path.join(dist, 'index.html'), 'utf8')).toContain('<title>one');
  const count = told.length;
  await build();
  expect(told).toHaveLength(count);
  writeFileSync(path.join(web, 'index.html'), '<title>two</title>');
  await build();
  expect(readFileSync(path.join(dist, 'index.html'), 'utf8')).toContain('<title>two');
  writeFileSync(path.join(web, 'index.html'), '<script type="module" src="./gone.ts"></script>');
  await expect(build().catch((error: unknown) => codeOf(error))).resolves.toBe('PLAYER_PAGE_FAILED');
  // What was there is served on, and nothing half made is left.
  expect(readdirSync(web).sort()).toEqual(['dist', 'index.html']);
  expect(readFileSync(path.join(dist, 'index.html'), 'utf8')).toContain('<title>two');
}, 60_000);
