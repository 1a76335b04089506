import { access, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import {
  expandWithOrigins,
  generateManifest,
  generateVsCodeManifest,
  inspectDeployment,
  locator,
  unsetVariables,
  withDotEnv,
  type DeploymentProblem,
  type Environment,
  type Json,
} from '@vantage/manifest';
import { readText } from '../manifest/check.ts';
import { isAcceptable, placeProblems, renderProblems, type FoundProblem } from '../manifest/found-problem.ts';
import { syntaxProblem } from '../manifest/syntax-problem.ts';
import { reportError } from '../report-error.ts';
import { onChange } from './on-change.ts';

export interface GenerateCommandOptions {
  readonly envFile?: string;
  readonly platform?: string;
  readonly style: 'iotedgedev' | 'vscode';
  readonly modules?: string;
  readonly out?: string;
  readonly check: boolean;
  readonly failOnWarning?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

interface Generated {
  readonly text: string;
  readonly name: string;
  readonly manifest: Json;
}

/** @returns whether a manifest was written */
export async function generate(template: string, options: GenerateCommandOptions): Promise<boolean> {
  if (options.out === '-' && options.json === true) {
    throw new VantageError('OPTIONS_CONFLICT', '--json and --out - both print to stdout: choose one');
  }
  const written = await generateOnce(template, options);
  if (!options.watch) return written;
  const modules = options.modules ?? path.join(path.dirname(template), 'modules');
  const again = async (): Promise<void> => {
    // A mistake that is being made is told, and mended with the next change.
    await generateOnce(template, options).catch(reportError);
  };
  await onChange([template, await envFileOf(template, options)], modules, again);
  return true;
}

async function generateOnce(template: string, options: GenerateCommandOptions): Promise<boolean> {
  const text = (await readText(template)).replace(/\r\n?/g, '\n');
  const env = await environmentOf(template, options);
  // The extension expands after it has read the JSON: what is written is what counts.
  const expanded = expandWithOrigins(text, options.style === 'vscode' ? {} : env);
  let made: Generated | undefined;
  let problems: FoundProblem[];
  try {
    made = await run(template, text, env, options);
    problems = placeProblems([...unset(text, env), ...inspectDeployment(made.manifest)], locator(text, expanded));
  } catch (error) {
    const syntax = syntaxProblem(error, text, expanded, env);
    if (!syntax) throw error;
    problems = [syntax];
  }
  const ok = made !== undefined && (!options.check || isAcceptable(problems, options.failOnWarning === true));
  const target = ok && made ? await write(template, made, env, options) : undefined;
  if (options.json) process.stdout.write(`${JSON.stringify({ ok, manifest: target ?? null, problems }, null, 2)}\n`);
  else {
    process.stderr.write(renderProblems(template, problems));
    if (target !== undefined) process.stderr.write(`${target} written${summary(problems)}\n`);
    else if (!ok) process.stderr.write(`nothing written${summary(problems)}\n`);
  }
  return ok;
}

function run(
  templatePath: string,
  templateText: string,
  env: Environment,
  { platform, modules, style }: GenerateCommandOptions,
): Promise<Generated> {
  const given = {
    templatePath,
    templateText,
    env,
    ...(platform === undefined ? {} : { platform }),
    ...(modules === undefined ? {} : { modulesPath: path.resolve(modules) }),
  };
  return style === 'vscode' ? generateVsCodeManifest(given) : generateManifest(given);
}

/** All at once: nobody wants to learn of them one by one. */
function unset(text: string, env: Environment): DeploymentProblem[] {
  const names = unsetVariables(text, env);
  if (names.length === 0) return [];
  const message = `not set, and left as they are: ${names.join(', ')} (set them in the shell or in .env)`;
  return [{ severity: 'warning', path: [], message }];
}

async function environmentOf(template: string, options: GenerateCommandOptions): Promise<Environment> {
  const file = await envFileOf(template, options);
  if (file === undefined) return process.env;
  const text = await readText(file);
  return options.style === 'vscode' ? { ...process.env, ...withDotEnv(text, {}) } : withDotEnv(text, process.env);
}

async function envFileOf(template: string, { envFile }: GenerateCommandOptions): Promise<string | undefined> {
  if (envFile !== undefined) return envFile;
  for (const file of [path.join(path.dirname(template), '.env'), process.env['DOTENV_FILE'] ?? '.env']) {
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return undefined;
}

/** Whole or not at all: another program may read the file at any moment. */
async function write(
  template: string,
  { text, name }: Generated,
  env: Environment,
  { out, style }: GenerateCommandOptions,
): Promise<string | undefined> {
  if (out === '-') {
    process.stdout.write(text);
    return undefined;
  }
  const usual =
    style === 'vscode' ? path.join(path.dirname(template), 'config') : (env['CONFIG_OUTPUT_DIR'] ?? 'config');
  const folder = out ?? usual;
  await mkdir(folder, { recursive: true });
  const target = path.join(folder, name);
  await writeFile(`${target}.tmp`, text);
  await rename(`${target}.tmp`, target);
  return target;
}

function summary(problems: readonly FoundProblem[]): string {
  const count = (severity: string): number => problems.filter((problem) => problem.severity === severity).length;
  const parts = [
    [count('error'), 'error'],
    [count('warning'), 'warning'],
  ] as const;
  const words = parts.filter(([many]) => many > 0).map(([many, word]) => `${many} ${word}${many === 1 ? '' : 's'}`);
  return words.length > 0 ? ` (${words.join(', ')})` : '';
}
