import { VantageError } from '@vantage/contracts';
import { expandWithOrigins, inspectDeployment, inspectPlacement, locator, parseJson } from '@vantage/manifest';
import { environmentOf, isTemplate, prepare } from '../generate/prepare.ts';
import { readText } from '../read-text.ts';
import { inOrder, isAcceptable, placeProblems, renderProblems, type FoundProblem } from './found-problem.ts';
import { syntaxProblem } from './syntax-problem.ts';
import { textProblems } from './text-problems.ts';

export interface ManifestCheckOptions {
  readonly failOnWarning?: boolean;
  readonly json?: boolean;
}

/** @returns whether the manifest may be deployed */
export async function checkManifestFile(file: string, options: ManifestCheckOptions): Promise<boolean> {
  const text = (await readText(file)).replace(/\r\n?/g, '\n');
  const problems = isTemplate(file, text) ? await problemsOfTemplate(file, text) : problemsOf(text);
  const ok = isAcceptable(problems, options.failOnWarning === true);
  if (options.json) process.stdout.write(`${JSON.stringify({ ok, problems }, null, 2)}\n`);
  else {
    process.stdout.write(renderProblems(file, problems));
    if (problems.length === 0) process.stdout.write(`${file}: nothing to complain about\n`);
  }
  return ok;
}

async function problemsOfTemplate(file: string, text: string): Promise<readonly FoundProblem[]> {
  try {
    const read = { text, env: await environmentOf(file) };
    return (await prepare(file, { style: 'iotedgedev', anyPlatform: true }, read)).problems;
  } catch (error) {
    return [asProblem(error)];
  }
}

/**
 * Everything that is to be said about a manifest, by its text.
 *
 * @param platform of the devices that it goes to; absent: whether its modules fit there is not asked
 */
export function problemsOf(text: string, { platform }: { readonly platform?: string } = {}): FoundProblem[] {
  const expanded = expandWithOrigins(text, {});
  try {
    const manifest = parseJson(expanded.text);
    const misplaced = platform === undefined ? [] : inspectPlacement(manifest, platform);
    const found = placeProblems([...inspectDeployment(manifest), ...misplaced], locator(text, expanded));
    return inOrder([...textProblems(text, expanded), ...found]);
  } catch (error) {
    return [syntaxProblem(error, text, expanded, {}) ?? asProblem(error)];
  }
}

function asProblem(error: unknown): FoundProblem {
  if (!VantageError.is(error)) throw error;
  return { severity: 'error', line: 1, column: 1, path: '', message: error.message };
}
