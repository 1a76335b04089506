/** `src/generated/` of a library from its `proto/`, with buf and ts-proto: `node generate-wire-types.mjs libs/onnx`. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { root } from './node-runtime.mjs';

const bin = path.join(root, 'node_modules/.bin');
// The plugin's first line asks for `node`: the one that runs this script must be found first.
const env = { ...process.env, PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter) };
const [library, ...options] = process.argv.slice(2);
execFileSync(path.join(bin, 'buf'), ['generate', ...options], { cwd: path.join(root, library), env, stdio: 'inherit' });
