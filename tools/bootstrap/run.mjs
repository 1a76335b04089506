#!/usr/bin/env node
/** `npm start`, `npm test` and the other root scripts: installs what is missing, then hands over to the right Node. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { installPackages } from './install.mjs';
import { findNode, nodeFlags, NODE_MISSING, root } from './node-runtime.mjs';

const bin = (name) => path.join(root, 'node_modules', name);
const cli = path.join(root, 'tools/cli/bin/vantage.mjs');

/** Each task is a list of Node command lines, run in order until one fails. */
const tasks = {
  start: (args) => [[cli, 'up', ...args]],
  test: (args) => [['--experimental-vm-modules', bin('jest/bin/jest.js'), ...args]],
  bench: (args) => [[path.join(root, 'tools/bench/src/main.ts'), ...args]],
  lint: (args) => [
    // The boundary rule reads nx's project graph from its cache.
    [bin('nx/dist/bin/nx.js'), 'show', 'projects'],
    [bin('eslint/bin/eslint.js'), '--max-warnings=0', ...(args.length > 0 ? args : ['.'])],
    [bin('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
  ],
  typecheck: () => [
    [bin('typescript/bin/tsc'), '-p', root],
    // The page of the Player has a browser's types.
    [bin('typescript/bin/tsc'), '-p', path.join(root, 'modules/player/web')],
  ],
  gen: () => [
    [path.join(root, 'libs/contracts/tools/generate-schemas.ts')],
    [path.join(root, 'tools/bootstrap/generate-wire-types.mjs'), 'libs/onnx'],
    [path.join(root, 'tools/bootstrap/generate-wire-types.mjs'), 'libs/inference'],
  ],
  check: () => [...tasks.typecheck(), ...tasks.lint([]), ...tasks.test(['--ci'])],
};

function run(node, args) {
  return new Promise((resolve) => {
    const child = spawn(node, [...nodeFlags, ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, NX_DAEMON: 'false', ORT_DISABLE_TELEMETRY: '1' },
    });
    // The terminal signals the whole group; a plain `kill` reaches only us, so pass it on and wait for the child's own end.
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
    child.on('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

const [task, ...args] = process.argv.slice(2);
try {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new Error(`Node 20 or newer is needed, this is ${process.versions.node}`);
  if (!(task in tasks)) throw new Error(`unknown task ${task}; there are ${Object.keys(tasks).join(', ')}`);
  installPackages();
  const node = findNode();
  if (!node) throw new Error(NODE_MISSING);
  for (const commandLine of tasks[task](args)) {
    process.exitCode = await run(node, commandLine);
    if (process.exitCode !== 0) break;
  }
} catch (error) {
  process.stderr.write(`vantage: ${error.message}\n`);
  process.exitCode = 1;
}
