#!/usr/bin/env node
/** The `vantage` command. Any Node from 20 on may start it; the TypeScript behind it runs on the Node that can. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { findNode, nodeFlags, root } from '../../bootstrap/node-runtime.mjs';

const main = path.join(root, 'tools/cli/src/main.ts');

if (findNode() === process.execPath) {
  process.removeAllListeners('warning');
  await import(main);
} else {
  const node = findNode();
  if (!node) {
    process.stderr.write('vantage: the packages are not installed yet; run "npm start" or "npm ci" once\n');
    process.exit(1);
  }
  const child = spawn(node, [...nodeFlags, main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
