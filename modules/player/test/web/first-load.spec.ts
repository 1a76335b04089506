import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';

const player = path.resolve(import.meta.dirname, '../..');

test('everything that the page loads first is below 200 kB, compressed', () => {
  const out = mkdtempSync(path.join(os.tmpdir(), 'player-page-'));
  try {
    const vite = path.join(
      path.dirname(createRequire(path.join(player, 'x.js')).resolve('vite/package.json')),
      'bin/vite.js',
    );
    const args = [vite, 'build', path.join(player, 'web'), '--outDir', out, '--logLevel', 'error'];
    execFileSync(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '' } });
    const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const sizes = files.map(({ parentPath, name }) => gzipSync(readFileSync(path.join(parentPath, name))).length);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    process.stdout.write(
      `first load of the Player's page: ${(bytes / 1000).toFixed(1)} kB compressed, ${files.length} files\n`,
    );
    expect(files.map(({ name }) => name)).toContain('index.html');
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(200_000);
    // A content security policy without exceptions: nothing inline, nothing from elsewhere.
    const page = readFileSync(path.join(out, 'index.html'), 'utf8');
    expect(page).not.toMatch(/<script(?![^>]*src=)|<style|style="|https?:\/\//);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}, 60_000);
