import { VantageError, isObject } from '@vantage/contracts';
import { parseJson, toPlain } from '@vantage/manifest';
import {
  isTemplate,
  platformOf,
  prepare,
  readTemplate,
  type TemplateOptions,
  type TemplateText,
} from '../generate/prepare.ts';
import type { ModulesContent } from '@vantage/hub';
import { problemsOf } from '../manifest/check.ts';
import { isAcceptable, renderProblems, type FoundProblem } from '../manifest/found-problem.ts';

export interface ReadOptions extends TemplateOptions {
  readonly failOnWarning?: boolean;
  readonly check: boolean;
}

/** The text of a manifest or template, and the variables that belong to it. */
export interface DeploymentFile extends TemplateText {
  readonly file: string;
}

export interface ReadDeployment {
  readonly content: ModulesContent;
  readonly layered: boolean;
  readonly problems: readonly FoundProblem[];
}

/** @throws VantageError INPUT_MISSING */
export async function openDeployment(file: string, options: TemplateOptions): Promise<DeploymentFile> {
  return { file, ...(await readTemplate(file, options)) };
}

/**
 * A manifest, or a template that is generated on the way. What is wrong with it goes to stderr.
 *
 * @throws VantageError DEPLOYMENT_INVALID, INPUT_MISSING
 */
export async function readDeployment(opened: DeploymentFile, options: ReadOptions): Promise<ReadDeployment> {
  const { file, text } = opened;
  const prepared = isTemplate(file, text) ? await prepare(file, options, opened) : undefined;
  const problems = prepared?.problems ?? problemsOf(text, { platform: platformOf(options, process.env) });
  process.stderr.write(renderProblems(file, problems));
  const manifest = prepared
    ? prepared.made?.manifest
    : problems.some(({ severity, path }) => severity === 'error' && path === '')
      ? undefined
      : parseJson(text);
  if (manifest === undefined || (options.check && !isAcceptable(problems, options.failOnWarning === true))) {
    throw new VantageError('DEPLOYMENT_INVALID', `${file} is not deployed: see above`);
  }
  const plain = toPlain(manifest);
  const whole = isObject(plain) && isObject(plain['content']) ? plain['content'] : plain;
  const content = isObject(whole) ? (whole['modulesContent'] ?? whole['moduleContent']) : undefined;
  if (!isObject(content)) throw new VantageError('DEPLOYMENT_INVALID', `${file} has no modulesContent`);
  return { content: content as ModulesContent, layered: isObject(plain) && 'content' in plain, problems };
}
