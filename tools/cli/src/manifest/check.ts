import { readFile } from 'node:fs/promises';
import { VantageError, codeOf } from '@vantage/contracts';
import {
  expandWithOrigins,
  finishTemplate,
  inspectDeployment,
  inspectPlacement,
  locator,
  parseJson,
} from '@vantage/manifest';
import { isAcceptable, placeProblems, renderProblems, type FoundProblem } from './found-problem.ts';
import { syntaxProblem } from './syntax-problem.ts';

export interface ManifestCheckOptions {
  readonly failOnWarning?: boolean;
  readonly json?: boolean;
}

/** @returns whether the manifest may be deployed */
export async function checkManifestFile(file: string, options: ManifestCheckOptions): Promise<boolean> {
  const problems = problemsOf((await readText(file)).replace(/\r\n?/g, '\n'));
  const ok = isAcceptable(problems, options.failOnWarning === true);
  if (options.json) process.stdout.write(`${JSON.stringify({ ok, problems }, null, 2)}\n`);
  else {
    process.stdout.write(renderProblems(file, problems));
    if (problems.length === 0) process.stdout.write(`${file}: nothing to complain about\n`);
  }
  return ok;
}

/** @throws VantageError INPUT_MISSING */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${codeOf(error) ?? 'unknown reason'})`;
    throw new VantageError('INPUT_MISSING', `${file} ${why}`, { cause: error });
  }
}

/**
 * Everything that is to be said about a manifest or template, by its text.
 *
 * @param platform of the devices that it goes to; absent: whether its modules fit there is not asked
 */
export function problemsOf(text: string, platform?: string): FoundProblem[] {
  const asWritten = expandWithOrigins(text, {});
  try {
    const manifest = parseJson(text);
    // A template is looked at as the manifest it becomes.
    finishTemplate(manifest);
    const misplaced = platform === undefined ? [] : inspectPlacement(manifest, platform);
    return placeProblems([...inspectDeployment(manifest), ...misplaced], locator(text, asWritten));
  } catch (error) {
    const syntax = syntaxProblem(error, text, asWritten, {});
    if (syntax) return [syntax];
    if (VantageError.is(error)) {
      return [{ severity: 'error', line: 1, column: 1, path: '', message: error.message }];
    }
    throw error;
  }
}
