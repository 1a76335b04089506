import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError } from '@vantage/contracts';
import { isAcceptable, renderProblems, type FoundProblem } from '../manifest/found-problem.ts';
import { reportError } from '../report-error.ts';
import { onChange } from './on-change.ts';
import { envFilesOf, prepare, readTemplate, type Prepared, type TemplateOptions } from './prepare.ts';

export interface GenerateCommandOptions extends TemplateOptions {
  readonly out?: string;
  readonly check: boolean;
  readonly failOnWarning?: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** @returns whether a manifest was written */
export async function generate(template: string, options: GenerateCommandOptions): Promise<boolean> {
  if (options.out === '-' && options.json === true) {
    throw new VantageError('OPTIONS_CONFLICT', '--json and --out - both print to stdout: choose one');
  }
  const written = await generateOnce(template, options);
  if (!options.watch) return written;
  const { env } = await readTemplate(template, options);
  const modules = options.modules ?? path.resolve(path.dirname(template), env['MODULES_PATH'] ?? 'modules');
  const again = async (): Promise<void> => {
    // A mistake that is being made is told, and mended with the next change.
    await generateOnce(template, options).catch(reportError);
  };
  await onChange([template, ...envFilesOf(template, options)], modules, again);
  return true;
}

async function generateOnce(template: string, options: GenerateCommandOptions): Promise<boolean> {
  const prepared = await prepare(template, options);
  const { made, problems } = prepared;
  const ok = made !== undefined && (!options.check || isAcceptable(problems, options.failOnWarning === true));
  const target = ok ? await write(template, prepared, options) : undefined;
  if (options.json) process.stdout.write(`${JSON.stringify({ ok, manifest: target ?? null, problems }, null, 2)}\n`);
  else {
    process.stderr.write(renderProblems(template, problems));
    if (target !== undefined) process.stderr.write(`${target} written${summary(problems)}\n`);
    else if (!ok) process.stderr.write(`nothing written${summary(problems)}\n`);
  }
  return ok;
}

/** Whole or not at all: another program may read the file at any moment. */
async function write(
  template: string,
  { made, env }: Prepared,
  { out, style }: GenerateCommandOptions,
): Promise<string | undefined> {
  if (!made) return undefined;
  if (out === '-') {
    process.stdout.write(made.text);
    return undefined;
  }
  const usual =
    style === 'vscode' ? path.join(path.dirname(template), 'config') : (env['CONFIG_OUTPUT_DIR'] ?? 'config');
  const folder = out ?? usual;
  await mkdir(folder, { recursive: true });
  const target = path.join(folder, made.name);
  await writeFile(`${target}.tmp`, made.text);
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
