import { access } from 'node:fs/promises';
import path from 'node:path';
import {
  expandWithOrigins,
  generateManifest,
  generateVsCodeManifest,
  inspectDeployment,
  inspectPlacement,
  locator,
  withDotEnv,
  type Environment,
  type GeneratedManifest,
} from '@vantage/manifest';
import { readText } from '../read-text.ts';
import { inOrder, placeProblems, type FoundProblem } from '../manifest/found-problem.ts';
import { syntaxProblem } from '../manifest/syntax-problem.ts';
import { textProblems, unsetProblems } from '../manifest/text-problems.ts';
import { findSkillContainers } from './skill-containers.ts';

export interface TemplateOptions {
  readonly envFile?: string;
  readonly platform?: string;
  readonly style: 'iotedgedev' | 'vscode';
  readonly modules?: string;
  /** Whether its modules fit a platform is not asked. */
  readonly anyPlatform?: boolean;
  /** Win over the shell and the file. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface Prepared {
  readonly env: Environment;
  /** Absent when the template is no JSON. */
  readonly made?: Pick<GeneratedManifest, 'text' | 'name' | 'manifest' | 'problems'>;
  readonly problems: readonly FoundProblem[];
}

/** What a template is made into a manifest from. */
export interface TemplateText {
  /** With plain line ends. */
  readonly text: string;
  readonly env: Environment;
}

/** @throws VantageError INPUT_MISSING */
export async function readTemplate(template: string, options: TemplateOptions): Promise<TemplateText> {
  const text = (await readText(template)).replace(/\r\n?/g, '\n');
  return { text, env: { ...(await environmentOf(template, options)), ...options.variables } };
}

/**
 * A template's manifest and everything that is to be said about it, at its place in the template.
 *
 * @param read what was read of it already
 * @throws VantageError INPUT_MISSING
 */
export async function prepare(template: string, options: TemplateOptions, read?: TemplateText): Promise<Prepared> {
  const { text, env } = read ?? (await readTemplate(template, options));
  // The extension expands after it has read the JSON: what is written is what counts.
  const expanded = expandWithOrigins(text, options.style === 'vscode' ? {} : env);
  const unset = unsetProblems(text, env);
  try {
    const made = await run(template, text, env, options);
    const problems = [
      ...made.problems,
      ...inspectDeployment(made.manifest),
      ...(options.anyPlatform === true ? [] : inspectPlacement(made.manifest, platformOf(options, env))),
    ];
    const found = placeProblems(problems, locator(text, expanded));
    return { env, made, problems: inOrder([...unset, ...textProblems(text, expanded), ...found]) };
  } catch (error) {
    const syntax = syntaxProblem(error, text, expanded, env);
    if (!syntax) throw error;
    return { env, problems: inOrder([...unset, syntax]) };
  }
}

/** By its name, or by what it says of itself. */
export function isTemplate(file: string, text: string): boolean {
  return /\.template\.json$/.test(file) || text.includes('"$schema-template"');
}

/** Where the variables of a template may be: the first of these that is there counts. */
export function envFilesOf(template: string, { envFile }: Pick<TemplateOptions, 'envFile'>): readonly string[] {
  if (envFile !== undefined) return [envFile];
  return [path.join(path.dirname(template), '.env'), process.env['DOTENV_FILE'] ?? '.env'];
}

/** The file of variables that a template is read with. */
async function envFileOf(template: string, options: Pick<TemplateOptions, 'envFile'>): Promise<string | undefined> {
  if (options.envFile !== undefined) return options.envFile;
  for (const file of envFilesOf(template, options)) {
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (exists) return file;
  }
  return undefined;
}

function run(
  templatePath: string,
  templateText: string,
  env: Environment,
  { platform, modules, style }: TemplateOptions,
): Promise<NonNullable<Prepared['made']>> {
  const given = {
    templatePath,
    templateText,
    env,
    findContainers: findSkillContainers,
    ...(platform === undefined ? {} : { platform }),
    ...(modules === undefined ? {} : { modulesPath: path.resolve(modules) }),
  };
  return style === 'vscode' ? generateVsCodeManifest(given) : generateManifest(given);
}

/** The kind of device that a manifest is made for. */
export function platformOf({ platform }: Pick<TemplateOptions, 'platform'>, env: Environment): string {
  return platform ?? env['DEFAULT_PLATFORM'] ?? 'amd64';
}

/** The variables of the shell and of the file that belongs to a template. */
export async function environmentOf(
  template: string,
  options: Pick<TemplateOptions, 'envFile'> & { readonly style?: TemplateOptions['style'] } = {},
): Promise<Environment> {
  const file = await envFileOf(template, options);
  if (file === undefined) return process.env;
  const text = await readText(file);
  return options.style === 'vscode' ? { ...process.env, ...withDotEnv(text, {}) } : withDotEnv(text, process.env);
}
