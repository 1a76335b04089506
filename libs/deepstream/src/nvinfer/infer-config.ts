import { kindOf, notAModelConfig } from '../kind.ts';
import { Ledger, lastOfEach } from '../ledger.ts';
import type { ConfigFormat } from '../report.ts';
import { byGroup, readGroup } from '../rules.ts';
import type { ConfigEntry, ConfigText } from '../text/entries.ts';
import { didYouMean } from '../text/suggest.ts';
import { DEFAULT_ATTRIBUTES, defaultInferSpec } from './defaults.ts';
import { isModelFile, modelFileOf, judgeModelFiles } from './model-files.ts';
import { CLASS_RULES, PROPERTY_RULES, SAME_ATTRIBUTES } from './properties.ts';
import type { AttributesDraft, InferDraft } from './properties.ts';
import type { ClassAttributes, InferConfig, InferSpec } from './spec.ts';

const CLASS_PREFIX = 'class-attrs-';

/**
 * Reads an nvinfer configuration, in its INI or its YAML form.
 *
 * Never throws: what is wrong is in `problems`, each with file and line. A value that cannot be read leaves the default
 * in place and is an error. Every property of the file ends in `properties`, with what became of it.
 *
 * @param fileName for messages only
 */
export function parseInferConfig(text: string, fileName: string): InferConfig {
  const found = kindOf(text, fileName);
  if (found.kind === 'nvinfer-ini' || found.kind === 'nvinfer-yaml') {
    return readInfer(found.text, found.format, fileName);
  }
  const ledger = new Ledger(fileName);
  ledger.problems.push(...found.text.problems);
  const why =
    found.kind === 'nvinferserver'
      ? 'it is an nvinferserver (Triton) configuration'
      : (notAModelConfig(found.kind) ?? 'it is something else');
  for (const entry of found.text.entries) ledger.leaveOut(entry, why);
  ledger.problem('error', { line: 0, key: '' }, `${fileName} is no nvinfer configuration: ${why}`);
  return finish(defaultInferSpec(fileName), ledger, found.format, { how: 'no-model', sentence: why });
}

/** Reads a text whose kind is known. */
export function readInfer(text: ConfigText, format: ConfigFormat, fileName: string): InferConfig {
  const draft: InferDraft = { ...defaultInferSpec(fileName) };
  const ledger = new Ledger(fileName);
  ledger.problems.push(...text.problems);
  const groups = byGroup(lastOfEach(text.entries, ledger, SAME_ATTRIBUTES));
  const properties = groups.get('property');
  if (properties === undefined) {
    ledger.problem('error', { line: 0, key: '' }, `${fileName} has no [property] section`);
  } else readProperties(properties, draft, ledger);
  leaveOutStrangers(groups, ledger);
  draft.classAttributes = readClassAttributes(groups, draft, ledger);
  return finish(draft, ledger, format, judgeModelFiles(draft, ledger));
}

function finish(spec: InferSpec, ledger: Ledger, format: ConfigFormat, runnable: InferConfig['runnable']): InferConfig {
  const properties = ledger.properties;
  return {
    kind: 'nvinfer',
    format,
    fileName: spec.fileName,
    spec,
    runnable,
    properties,
    notUsed: properties.flatMap(({ group, key, line, reason }) =>
      reason === undefined ? [] : [{ group, key, line, why: reason }],
    ),
    problems: ledger.problems,
  };
}

function readProperties(entries: readonly ConfigEntry[], draft: InferDraft, ledger: Ledger): void {
  const models = entries.filter(isModelFile);
  draft.otherModelFiles = models.flatMap((entry) => modelFileOf(entry, ledger) ?? []);
  readGroup(
    entries.filter((entry) => !isModelFile(entry)),
    PROPERTY_RULES,
    draft,
    ledger,
    'nvinfer',
  );
}

function leaveOutStrangers(groups: ReadonlyMap<string, readonly ConfigEntry[]>, ledger: Ledger): void {
  for (const [group, entries] of groups) {
    const [first] = entries;
    if (group === 'property' || group.startsWith(CLASS_PREFIX) || first === undefined) continue;
    if (group === '') {
      for (const entry of entries) ledger.leaveOut(entry, 'it stands outside of any section');
      continue;
    }
    const hint = didYouMean(group, ['property', `${CLASS_PREFIX}all`]);
    ledger.problem('warning', { line: first.line, key: '' }, `nvinfer has no section [${group}]${hint}`);
    for (const entry of entries) ledger.leaveOut(entry, `nvinfer has no section [${group}]${hint}`);
  }
}

/** `[class-attrs-all]` first, wherever it stands: the groups of single classes start from it. */
function readClassAttributes(
  groups: ReadonlyMap<string, readonly ConfigEntry[]>,
  { classCount }: InferSpec,
  ledger: Ledger,
): InferSpec['classAttributes'] {
  const all: AttributesDraft = { ...DEFAULT_ATTRIBUTES };
  readGroup(groups.get(`${CLASS_PREFIX}all`) ?? [], CLASS_RULES, all, ledger, 'nvinfer');
  const perClass = new Map<number, ClassAttributes>();
  for (const [group, entries] of groups) {
    const [first] = entries;
    if (!group.startsWith(CLASS_PREFIX) || group === `${CLASS_PREFIX}all` || first === undefined) continue;
    const id = group.slice(CLASS_PREFIX.length);
    if (!/^\d{1,9}$/.test(id)) {
      for (const entry of entries) ledger.leaveOut(entry, `'${id}' is neither 'all' nor a class id`);
      ledger.problem('error', first, `[${group}]: '${id}' is neither 'all' nor a class id`);
      continue;
    }
    const classId = Number(id);
    if (classCount !== undefined && classId >= classCount) {
      ledger.problem('warning', first, `[${group}] is beyond the ${classCount} classes of the model`);
    }
    const own: AttributesDraft = { ...(perClass.get(classId) ?? all) };
    readGroup(entries, CLASS_RULES, own, ledger, 'nvinfer');
    perClass.set(classId, own);
  }
  return { all, perClass };
}
