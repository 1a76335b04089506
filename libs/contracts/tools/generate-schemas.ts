/**
 * Writes what is generated from this library's sources: `schemas/*.json` from the zod schemas, and `src/generated/` from
 * `proto/` with buf and ts-proto (both need no network). Run with `npm run gen`; a test compares the result with what is
 * committed.
 */
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { jsonSchemaFiles } from '../src/json-schemas.ts';

const library = fileURLToPath(new URL('..', import.meta.url));
const schemas = path.join(library, 'schemas');

await rm(schemas, { recursive: true, force: true });
await mkdir(schemas, { recursive: true });
for (const [name, text] of jsonSchemaFiles()) await writeFile(path.join(schemas, name), text);

const bin = path.join(library, '../../node_modules/.bin');
// The plugin's first line asks for `node`: the one that runs this script must be found first.
const env = { ...process.env, PATH: [path.dirname(process.execPath), process.env['PATH'] ?? ''].join(path.delimiter) };
execFileSync(path.join(bin, 'buf'), ['generate'], { cwd: library, env, stdio: 'inherit' });
