import { readIni } from './ini.ts';
import type { IniEntry } from './ini.ts';
import { detectConfigKind } from './kind.ts';
import { modelFileOf, reportModelFiles } from './model-files.ts';
import { CLASS_RULES, PROPERTY_RULES } from './properties.ts';
import type { AttributesDraft, Rule } from './properties.ts';
import { Ledger } from './ledger.ts';
import type { ClassAttributes, InferConfig, InferSpec } from './spec.ts';
import type { Draft } from './values.ts';

const CLASS_PREFIX = 'class-attrs-';

/** Defaults of `gstnvinfer_property_parser.h`. */
const DEFAULT_ATTRIBUTES: ClassAttributes = {
  preClusterThreshold: 0.2,
  postClusterThreshold: 0,
  nmsIouThreshold: 0.3,
  topK: undefined,
  eps: 0,
  minBoxes: 0,
  dbscanMinScore: 0,
  groupThreshold: 0,
  roiTopOffset: 0,
  roiBottomOffset: 0,
  detectedMinWidth: 0,
  detectedMinHeight: 0,
  detectedMaxWidth: 0,
  detectedMaxHeight: 0,
};

/** What nvinfer does when a configuration says nothing (`gstnvinfer.cpp`). */
function defaultSpec(fileName: string): InferSpec {
  return {
    kind: 'nvinfer',
    fileName,
    onnxFile: undefined,
    otherModelFiles: [],
    labelFile: undefined,
    netScaleFactor: 1,
    offsets: [0, 0, 0],
    meanFile: undefined,
    colorFormat: 'RGB',
    inferDims: undefined,
    inputOrder: 'NCHW',
    maintainAspectRatio: false,
    symmetricPadding: false,
    padValue: undefined,
    scalingFilter: undefined,
    networkMode: 'fp32',
    networkType: 'detector',
    processMode: 'primary',
    gieUniqueId: 15,
    batchSize: 1,
    interval: 0,
    gpuId: 0,
    classCount: undefined,
    outputBlobNames: [],
    parserFunction: undefined,
    classifierParserFunction: undefined,
    instanceMaskParserFunction: undefined,
    customLibPath: undefined,
    clusterMode: 'group-rectangles',
    clusterModeIsDefault: true,
    classAttributes: { all: DEFAULT_ATTRIBUTES, perClass: new Map() },
    filterOutClassIds: [],
    classifierThreshold: 0,
    classifierAsyncMode: false,
    classifierType: undefined,
    segmentationThreshold: 0,
    outputTensorMeta: false,
    outputInstanceMask: false,
    operateOnGieId: -1,
    operateOnClassIds: [],
    inputObjectMinWidth: 0,
    inputObjectMinHeight: 0,
    inputObjectMaxWidth: 0,
    inputObjectMaxHeight: 0,
    secondaryReinferInterval: undefined,
  };
}

/**
 * Reads an nvinfer configuration in its INI form.
 *
 * Never throws: what is wrong is in `problems`, each with its line. A value that cannot be read leaves the default in
 * place and is an error. Every property of the file ends in `used` or in `notUsed`.
 *
 * @param fileName for messages only
 */
export function parseInferConfig(text: string, fileName: string): InferConfig {
  const draft: Draft = { ...defaultSpec(fileName) };
  const ledger = new Ledger();
  const kind = detectConfigKind(text);
  if (kind !== 'nvinfer-ini') {
    const found = kind === 'nvinfer-yaml' ? 'a YAML file of nvinfer' : 'an nvinferserver (Triton) file';
    ledger.problem('error', { line: 0, key: '' }, `${fileName} is ${found}; only the INI form of nvinfer is read yet`);
    return { spec: draft, used: [], notUsed: [], problems: ledger.problems };
  }

  const ini = readIni(text);
  ledger.problems.push(...ini.problems);
  const entries = withoutRepeats(ini.entries, ledger);
  if (!entries.some(({ section }) => section === 'property')) {
    ledger.problem('error', { line: 0, key: '' }, `${fileName} has no [property] section`);
  }
  for (const entry of entries) {
    if (entry.section === 'property') readProperty(entry, draft, ledger);
    else if (!entry.section.startsWith(CLASS_PREFIX))
      ledger.leaveOut(entry, `nvinfer has no section [${entry.section}]`);
  }
  draft.classAttributes = readClassAttributes(entries, draft, ledger);
  reportModelFiles(draft, ledger);
  return { spec: draft, used: ledger.used, notUsed: ledger.notUsed, problems: ledger.problems };
}

/** Of a property that is set twice in a section the last one counts, as in GLib. */
function withoutRepeats(entries: readonly IniEntry[], ledger: Ledger): IniEntry[] {
  const last = new Map(entries.map((entry) => [`${entry.section}\n${entry.key}`, entry]));
  return entries.filter((entry) => {
    const counts = last.get(`${entry.section}\n${entry.key}`);
    if (counts === undefined || counts === entry) return true;
    ledger.leaveOut(entry, `it is set again on line ${counts.line}`);
    ledger.problem('warning', entry, `'${entry.key}' is set again on line ${counts.line}, which counts`);
    return false;
  });
}

function readProperty(entry: IniEntry, draft: Draft, ledger: Ledger): void {
  const model = modelFileOf(entry);
  if (model !== undefined) draft.otherModelFiles = [...draft.otherModelFiles, model];
  else apply(entry, PROPERTY_RULES.get(entry.key), draft, ledger);
}

function readClassAttributes(entries: readonly IniEntry[], draft: Draft, ledger: Ledger): InferSpec['classAttributes'] {
  const all: AttributesDraft = { ...DEFAULT_ATTRIBUTES };
  // The group of all classes comes first, wherever it stands in the file.
  for (const entry of entries) {
    if (entry.section === `${CLASS_PREFIX}all`) apply(entry, CLASS_RULES.get(entry.key), all, ledger);
  }
  const perClass = new Map<number, AttributesDraft>();
  for (const entry of entries) {
    if (!entry.section.startsWith(CLASS_PREFIX) || entry.section === `${CLASS_PREFIX}all`) continue;
    const id = entry.section.slice(CLASS_PREFIX.length);
    if (!/^\d+$/.test(id)) {
      ledger.leaveOut(entry, `'${id}' is neither 'all' nor a class id`);
      ledger.problem('error', entry, `[${entry.section}]: '${id}' is neither 'all' nor a class id`);
      continue;
    }
    const classId = Number(id);
    let own = perClass.get(classId);
    if (own === undefined) {
      own = { ...all };
      perClass.set(classId, own);
      if (draft.classCount !== undefined && classId >= draft.classCount) {
        ledger.problem('warning', entry, `[${entry.section}] is beyond the ${draft.classCount} classes of the model`);
      }
    }
    apply(entry, CLASS_RULES.get(entry.key), own, ledger);
  }
  return { all, perClass };
}

function apply<Target>(entry: IniEntry, rule: Rule<Target> | undefined, target: Target, ledger: Ledger): void {
  if (rule === undefined) {
    ledger.leaveOut(entry, `nvinfer has no such property in [${entry.section}]`);
    ledger.problem('warning', entry, `unknown property '${entry.key}' in [${entry.section}]`);
    return;
  }
  const wrong = rule.set?.(target, entry.value);
  if (wrong !== undefined) {
    ledger.problem('error', entry, `${entry.key}: ${wrong}`);
    ledger.leaveOut(entry, wrong);
  } else if (rule.notUsed !== undefined) ledger.leaveOut(entry, rule.notUsed);
  else ledger.use(entry);
}
