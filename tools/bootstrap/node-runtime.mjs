/**
 * Finds a Node that runs the TypeScript of this repository as it stands: 22.18 or newer strips types by itself.
 * An older host Node (20 is enough to get here) is not asked to: npm has installed a current LTS beside the other packages.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '../..');

const MINIMUM = [22, 18];

/** @returns {string | undefined} the executable, or undefined before the packages are installed. */
export function findNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return process.execPath;
  const shipped = path.join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  return existsSync(shipped) ? shipped : undefined;
}

/** What to say when there is none although the packages are there. */
export const NODE_MISSING = `no Node 22.18 or newer: none comes as an npm package for ${process.platform}-${process.arch}, so install it and run again`;

/** What remembers the work of stripping types, as a Node takes it in `--import`. */
export const strippedOnce = pathToFileURL(path.join(root, 'tools/bootstrap/stripped-once.mjs')).href;

/** Flags every process of ours runs with: the warning about type stripping tells a user nothing. */
export const nodeFlags = ['--disable-warning=ExperimentalWarning', `--import=${strippedOnce}`];
