import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VantageError, codeOf } from '@vantage/contracts';
import { CATALOG, type CatalogModel } from '../catalog/catalog.ts';
import { COCO } from '../proposal/coco.ts';
import { configText } from '../proposal/config-text.ts';
import type { Preparation } from '../proposal/preparation.ts';
import { propose, type Proposal } from '../proposal/propose.ts';
import { findLabels } from './labels.ts';
import { readFacts, type OnnxFacts } from './onnx-facts.ts';
import type { ModelConfigFile, Subject } from './subject.ts';

/** What will be run: a configuration that is there, or one that was made. */
export interface CheckPlan {
  readonly source: 'given' | 'catalog' | 'proposed';
  /** Of the primary model; undefined for one that is only on a server. */
  readonly facts: OnnxFacts | undefined;
  /** Absolute, for a configuration that is there. */
  readonly configFile?: string;
  /** Absolute, in the order of the cascade. */
  readonly secondaries: readonly string[];
  readonly config?: ModelConfigFile;
  /** For one that was made: its text; the model is named by its file name. */
  readonly text?: string;
  readonly labels?: Proposal['labels'];
  readonly proposal?: Proposal;
  /** What else a person should know. */
  readonly notes: readonly string[];
}

export interface PlanRequest {
  readonly labels?: string;
  readonly parser?: string;
  /** Which configuration, or ONNX file, of a folder with several. */
  readonly select?: string;
}

/**
 * Decides what to run of what a user brought.
 *
 * @throws VantageError `MODEL_CONFIG_AMBIGUOUS`, `MODEL_NEEDS_CONVERSION`, `MODEL_CONFIG_INVALID`, and what is wrong with
 *   the model file
 */
export async function planCheck(subject: Subject, request: PlanRequest): Promise<CheckPlan> {
  const configs = await runnableConfigs(subject, request.select);
  const primaries = configs.filter(({ config }) => !isSecondary(config));
  const chosen = pickOne(primaries.length > 0 ? primaries : configs, subject, request.select);
  if (chosen) return withConfig(subject, chosen, configs);
  const onnx = pickOnnx(subject, request.select);
  const facts = await readFacts(path.join(subject.folder, onnx));
  const labels = await findLabels(request.labels, subject.folder, subject.kind === 'onnx' ? [] : subject.files);
  const notes = subject.configs.map(({ file, config }) => `${file} is not used: ${config.runnable.sentence}`);
  if (facts.known && request.parser === undefined) return fromCatalog(facts, facts.known, labels, notes);
  return proposed(facts, path.basename(onnx), { labels, parser: request.parser, notes });
}

/** The same plan with pictures prepared in another way. */
export function withPreparation(plan: CheckPlan, preparation: Preparation, parser: string | undefined): CheckPlan {
  if (!plan.facts || plan.source !== 'proposed') return plan;
  const { facts, labels, notes } = plan;
  return proposed(facts, path.basename(facts.file), { labels, parser, notes, preparation });
}

function proposed(
  facts: OnnxFacts,
  onnxFile: string,
  more: {
    readonly labels: Proposal['labels'];
    readonly parser: string | undefined;
    readonly notes: readonly string[];
    readonly preparation?: Preparation;
  },
): CheckPlan {
  const { labels, parser, notes, preparation } = more;
  const proposal = propose({
    model: facts.model,
    onnxFile,
    ...(labels ? { labels } : {}),
    ...(parser === undefined ? {} : { parser }),
    ...(preparation ? { preparation } : {}),
  });
  return {
    source: 'proposed',
    facts,
    secondaries: [],
    proposal,
    text: configText(proposal, onnxFile),
    ...(proposal.labels ? { labels: proposal.labels } : {}),
    notes,
  };
}

async function fromCatalog(
  facts: OnnxFacts,
  known: CatalogModel,
  found: Proposal['labels'],
  notes: readonly string[],
): Promise<CheckPlan> {
  const folder = path.join(path.dirname(CATALOG), known.name);
  const text = await readFile(path.join(folder, 'config_infer.txt'), 'utf8');
  const own = await readFile(path.join(folder, 'labels.txt'), 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  const names =
    found?.names ??
    own?.split('\n').filter((line) => line !== '') ??
    (text.includes('num-detected-classes=80') ? COCO : undefined);
  const wantsLabels = text.includes('labelfile-path=');
  const head = `# This is ${known.name} of the catalog of models (${known.licence}).\n`;
  const body = text
    .replace(/^onnx-file=.*$/m, `onnx-file=${path.basename(facts.file)}`)
    .replace(/^labelfile-path=.*\n/m, names ? 'labelfile-path=labels.txt\n' : '');
  return {
    source: 'catalog',
    facts,
    secondaries: [],
    text: head + body,
    ...(wantsLabels && names ? { labels: { names, why: found?.why ?? 'the labels of the catalog' } } : {}),
    notes: [
      ...notes,
      ...(wantsLabels && !names ? [`"vantage model get ${known.name}" brings the names of its classes, too`] : []),
      ...(known.after === undefined
        ? []
        : [`a secondary model: it looks at the objects of another, such as ${known.after}`]),
    ],
  };
}

async function withConfig(
  { folder, onnx }: Subject,
  chosen: ModelConfigFile,
  configs: readonly ModelConfigFile[],
): Promise<CheckPlan> {
  const { config, file } = chosen;
  const errors = config.problems.filter(({ severity, about }) => severity === 'error' && about !== 'model-file');
  const [error] = errors;
  if (error) {
    const where = error.line > 0 ? `${file}:${error.line}` : file;
    const more = errors.length > 1 ? `, and ${errors.length - 1} more ("vantage config explain" lists them)` : '';
    throw new VantageError('MODEL_CONFIG_INVALID', `${where}: ${error.message}${more}`);
  }
  const base = path.dirname(path.join(folder, file));
  const named = onnxOf(chosen, base);
  const secondaries = configs
    .filter((other) => other !== chosen && isSecondary(other.config))
    .sort((a, b) => uniqueId(a) - uniqueId(b));
  const unnamed = onnx.filter(
    (name) =>
      !configs.some((one) => onnxOf(one, path.dirname(path.join(folder, one.file))) === path.join(folder, name)),
  );
  return {
    source: 'given',
    facts: named === undefined ? undefined : await readFacts(named),
    config: chosen,
    configFile: path.join(folder, file),
    secondaries: secondaries.map((one) => path.join(folder, one.file)),
    notes: unnamed.map((name) => `no configuration names ${name}: it is not looked at`),
  };
}

function onnxOf({ config }: ModelConfigFile, base: string): string | undefined {
  return config.runnable.how === 'onnx' ? path.resolve(base, config.runnable.file) : undefined;
}

function isSecondary({ spec }: ModelConfigFile['config']): boolean {
  return 'processMode' in spec && spec.processMode === 'secondary';
}

function uniqueId({ config: { spec } }: ModelConfigFile): number {
  return 'gieUniqueId' in spec ? spec.gieUniqueId : 0;
}

/** The configurations whose model can run here. One that names something else counts as none when an ONNX is beside. */
async function runnableConfigs(subject: Subject, select: string | undefined): Promise<ModelConfigFile[]> {
  const all = subject.configs.filter(
    ({ file }) => select === undefined || !isConfigName(select, subject) || sameFile(file, select),
  );
  const runnable = all.filter(({ config }) => config.runnable.how === 'onnx' || config.runnable.how === 'remote');
  const [stuck] = all;
  if (runnable.length === 0 && stuck && subject.onnx.length === 0) {
    throw new VantageError('MODEL_NEEDS_CONVERSION', `${stuck.file}: ${stuck.config.runnable.sentence}`);
  }
  return Promise.resolve(runnable);
}

function isConfigName(select: string, { configs }: Subject): boolean {
  return configs.some(({ file }) => sameFile(file, select));
}

function sameFile(file: string, select: string): boolean {
  return file === select || path.basename(file) === select;
}

function pickOne(
  configs: readonly ModelConfigFile[],
  { given }: Subject,
  select: string | undefined,
): ModelConfigFile | undefined {
  const [first, second] = configs;
  if (second === undefined || select !== undefined) return first;
  throw new VantageError(
    'MODEL_CONFIG_AMBIGUOUS',
    `${given} holds several models (${configs.map(({ file }) => file).join(', ')}); name one with --select`,
  );
}

function pickOnnx({ given, onnx, foreign, files }: Subject, select: string | undefined): string {
  const wanted = select === undefined ? onnx : onnx.filter((file) => sameFile(file, select));
  const [first, second] = wanted;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    throw new VantageError(
      'MODEL_CONFIG_AMBIGUOUS',
      `${given} holds several models and no configuration (${wanted.join(', ')}); name one with --select`,
    );
  }
  const [other] = foreign.filter(({ file }) => !/\.so(\.\d+)*$/i.test(file)).concat(foreign);
  if (other) throw new VantageError('MODEL_NEEDS_CONVERSION', `${other.file}: ${other.sentence}`);
  const what = files.length === 0 ? 'nothing' : files.slice(0, 10).join(', ');
  throw new VantageError('MODEL_FILE_MISSING', `${given} holds no ONNX model; it holds ${what}`);
}
