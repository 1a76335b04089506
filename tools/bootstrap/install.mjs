/** Brings node_modules in line with package-lock.json, once, and says so. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './node-runtime.mjs';

const stamp = path.join(root, 'node_modules', '.vantage-installed');

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex');
}

/** Whether an installation has come to its end here: npm writes this file last. */
export function hasPackages() {
  return existsSync(path.join(root, 'node_modules', '.package-lock.json'));
}

/** @throws {Error} one sentence that says what to do. */
export function installPackages() {
  const wanted = lockHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  process.stderr.write('vantage: installing npm packages (about two minutes the first time) …\n');
  const started = Date.now();
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    throw new Error(
      'the npm packages could not be installed (see the lines above); check that this machine reaches its npm registry, then run the same command again',
    );
  }
  writeFileSync(stamp, wanted);
  process.stderr.write(`vantage: packages installed in ${Math.round((Date.now() - started) / 1000)} s\n`);
}
