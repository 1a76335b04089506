#!/usr/bin/env -S node --
/**
 * The `vantage` command. Any Node from 20 on may start it; the TypeScript behind it runs on the Node that can. In a fresh
 * checkout, where npx does not know it yet, it installs the packages first, as `npm start` does. Without the `--` before a
 * script Node takes its `--env-file` for one of its own.
 */
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { hasPackages, installPackages } from '../../bootstrap/install.mjs';
import { findNode, nodeFlags, NODE_MISSING, root, strippedOnce } from '../../bootstrap/node-runtime.mjs';

const main = path.join(root, 'tools/cli/src/main.ts');

try {
  if (!hasPackages()) installPackages();
  const node = findNode();
  if (!node) throw new Error(NODE_MISSING);
  if (node === process.execPath) {
    process.removeAllListeners('warning');
    await import(strippedOnce);
    await import(main);
  } else {
    const child = spawn(node, [...nodeFlags, '--', main, ...process.argv.slice(2)], { stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code, signal) => process.exit(signal ? 128 + os.constants.signals[signal] : (code ?? 1)));
  }
} catch (error) {
  process.stderr.write(`vantage: ${error.message}\n`);
  process.exitCode = 1;
}
