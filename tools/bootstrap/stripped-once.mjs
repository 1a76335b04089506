/**
 * Loaded before everything else (`node --import`, see `nodeFlags`): what Node makes of a TypeScript file, its text without
 * types and its compiled code, is kept in `node_modules/.cache` under the hash of the file. Stripping types is half of
 * what a short command costs, and every thread of a process would do it again.
 *
 * Node's own stripping makes the text, so nothing else runs than without this file. Where the folder cannot be written, or
 * Node has no such hooks, everything works as it would, only slower.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = fileURLToPath(new URL(`../../node_modules/.cache/vantage/${process.version}`, import.meta.url));
const folder = path.join(cache, 'stripped');
/** Sources come and go: a folder with more is begun anew. */
const MAX_FILES = 5000;

if (module.registerHooks !== undefined) {
  module.enableCompileCache?.(path.join(cache, 'compiled'));
  module.registerHooks({ load });
}

function load(url, context, nextLoad) {
  // Whatever else Node takes for TypeScript (no package says that it is a module, an import with attributes) it reads itself.
  if (context.format !== 'module-typescript' || !url.startsWith('file:')) return nextLoad(url, context);
  try {
    const source = readFileSync(new URL(url), 'utf8');
    return { format: 'module', source: withoutTypes(source), shortCircuit: true };
  } catch {
    // Unreadable, or no TypeScript that can be stripped: Node says it best.
    return nextLoad(url, context);
  }
}

function withoutTypes(source) {
  const file = path.join(folder, `${createHash('sha1').update(source).digest('hex')}.js`);
  const kept = read(file);
  if (kept !== undefined) return kept;
  const text = module.stripTypeScriptTypes(source);
  keep(file, text);
  return text;
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function keep(file, text) {
  // Whoever reads it sees all of it or nothing.
  const unfinished = `${file}.${process.pid}.${performance.now()}`;
  try {
    mkdirSync(folder, { recursive: true });
    if (readdirSync(folder).length > MAX_FILES) {
      rmSync(folder, { recursive: true });
      mkdirSync(folder, { recursive: true });
    }
    writeFileSync(unfinished, text, { flag: 'wx' });
    renameSync(unfinished, file);
  } catch {
    rmSync(unfinished, { force: true });
  }
}
