import {
  expandWithOrigins,
  locator,
  parseJson,
  pathText,
  suggestImprovements,
  toPlain,
  type Json,
} from '@vantage/manifest';
import { VantageError, isObject, messageOf } from '@vantage/contracts';
import { syntaxProblem } from '../manifest/syntax-problem.ts';
import { readText } from '../read-text.ts';

/** Prints what to improve, in the order of each file. @throws VantageError INPUT_MISSING, DEPLOYMENT_INVALID */
export async function migrate(files: readonly string[], { json }: { readonly json?: boolean }): Promise<void> {
  const found = (await Promise.all(files.map(improvementsOf))).flat();
  if (json) return void process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  for (const file of files) {
    const own = found.filter((one) => one.file === file);
    if (own.length === 0) process.stdout.write(`${file}: runs as it is, and nothing is to be improved\n`);
    for (const { line, column, path, what, advice } of own) {
      process.stdout.write(`${file}:${line}:${column}: ${what}: ${advice} (${path})\n`);
    }
  }
}

async function improvementsOf(file: string) {
  const text = (await readText(file)).replace(/\r\n?/g, '\n');
  const expanded = expandWithOrigins(text, {});
  const locate = locator(text, expanded);
  try {
    const json = parseJson(text);
    requireKnown(json);
    return suggestImprovements(json)
      .map(({ path, what, advice }) => ({ file, ...locate(path), path: pathText(path), what, advice }))
      .sort((a, b) => a.line - b.line);
  } catch (error) {
    const syntax = syntaxProblem(error, text, expanded, {});
    const where = syntax ? `${file}:${syntax.line}:${syntax.column}` : file;
    throw new VantageError('DEPLOYMENT_INVALID', `${where}: ${syntax?.message ?? messageOf(error)}`, { cause: error });
  }
}

/** Of anything else there is nothing to say, which is not the same as nothing to improve. */
function requireKnown(json: Json): void {
  const plain = toPlain(json);
  const known = ['modulesContent', 'moduleContent', 'content', 'azdaConfiguration'];
  if (isObject(plain) && known.some((key) => key in plain)) return;
  throw new Error(
    'neither a template or manifest (modulesContent) nor desired properties of a controllermodule (azdaConfiguration)',
  );
}
