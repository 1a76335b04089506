import path from 'node:path';
import Sequencer from '@jest/test-sequencer';

/**
 * What goes through everything takes longest. Before that: each ring of shared memory (90 MB) makes the engine collect the
 * whole heap, which is smallest in the beginning.
 */
const FIRST = ['libs/custom-node/test/', 'e2e/', 'tools/cli/test/', 'tools/demo/'];

/** Puts the longest specs first also where no earlier run tells how long each takes: a worker is not left with one alone. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}

function rank({ path: file, context }) {
  const name = path.relative(context.config.rootDir, file).split(path.sep).join('/');
  const at = FIRST.findIndex((start) => name.startsWith(start));
  return at < 0 ? FIRST.length : at;
}
