import { VantageError } from '@vantage/contracts';
import {
  expandWithOrigins,
  finishTemplate,
  inspectDeployment,
  inspectPlacement,
  locator,
  parseJson,
  type Environment,
} from '@vantage/manifest';
import { environmentOf, isTemplate } from '../generate/prepare.ts';
import { readText } from '../read-text.ts';
import { inOrder, isAcceptable, placeProblems, renderProblems, type FoundProblem } from './found-problem.ts';
import { syntaxProblem } from './syntax-problem.ts';
import { textProblems, unsetProblems } from './text-problems.ts';

export interface ManifestCheckOptions {
  readonly failOnWarning?: boolean;
  readonly json?: boolean;
}

/** @returns whether the manifest may be deployed */
export async function checkManifestFile(file: string, options: ManifestCheckOptions): Promise<boolean> {
  const text = (await readText(file)).replace(/\r\n?/g, '\n');
  const problems = problemsOf(text, isTemplate(file, text) ? { env: await environmentOf(file) } : {});
  const ok = isAcceptable(problems, options.failOnWarning === true);
  if (options.json) process.stdout.write(`${JSON.stringify({ ok, problems }, null, 2)}\n`);
  else {
    process.stdout.write(renderProblems(file, problems));
    if (problems.length === 0) process.stdout.write(`${file}: nothing to complain about\n`);
  }
  return ok;
}

/**
 * Everything that is to be said about a manifest or template, by its text.
 *
 * @param platform of the devices that it goes to; absent: whether its modules fit there is not asked
 * @param env the variables of a template; absent: it is a manifest
 */
export function problemsOf(
  text: string,
  { platform, env }: { readonly platform?: string; readonly env?: Environment } = {},
): FoundProblem[] {
  const expanded = expandWithOrigins(text, env ?? {});
  const unset = env === undefined ? [] : unsetProblems(text, env);
  try {
    const manifest = parseJson(expanded.text);
    // A template is looked at as the manifest it becomes.
    finishTemplate(manifest);
    const misplaced = platform === undefined ? [] : inspectPlacement(manifest, platform);
    const found = placeProblems([...inspectDeployment(manifest), ...misplaced], locator(text, expanded));
    return inOrder([...unset, ...textProblems(text, expanded), ...found]);
  } catch (error) {
    const syntax = syntaxProblem(error, text, expanded, env ?? {});
    if (syntax) return inOrder([...unset, syntax]);
    if (VantageError.is(error)) {
      return [{ severity: 'error', line: 1, column: 1, path: '', message: error.message }];
    }
    throw error;
  }
}
