import { isObject } from '@vantage/contracts';
import type { Anchor, ClassSettings, RuleScope } from '../../graph.ts';
import type { Fields } from '../fields.ts';

const MAX_LABELS = 256;
const MAX_LABEL_CHARS = 256;
const PERCENT = { min: 0, max: 100 } as const;
const LABELS_FORM = 'a JSON list such as ["person", "traffic light"]';

/** `labels`: exact, spaces allowed. What is no list of texts is no filter at run time, as in the reference. */
export function readLabels(fields: Fields): readonly string[] {
  if (!fields.has('labels')) return [];
  const labels = labelsIn(fields.text('labels') ?? '');
  if (labels === undefined) {
    fields.error('labels', `expected ${LABELS_FORM}; the text is only read, never run`, 'labels are not filtered');
  }
  return labels ?? [];
}

function labelsIn(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isList = Array.isArray(value) && value.length <= MAX_LABELS;
    const labels: readonly unknown[] = isList ? value : [undefined];
    return labels.every((label): label is string => typeof label === 'string' && label.length <= MAX_LABEL_CHARS)
      ? labels
      : undefined;
  } catch {
    return undefined;
  }
}

/** `confidence_threshold`: percent in the document, 0 to 1 here. */
export function readThreshold(fields: Fields): number {
  return fields.number('confidence_threshold', 0, PERCENT, 'percent') / 100;
}

const ANCHORS: Readonly<Record<string, Anchor>> = {
  bottom_centre: 'bottomCentre',
  bottom_center: 'bottomCentre',
  centre: 'centre',
  center: 'centre',
};

/** What all rules share: which objects, and which point of them. */
export function readScope(fields: Fields): RuleScope {
  const anchor = fields.choice('anchor', Object.keys(ANCHORS), 'bottom_centre');
  const perClass = readPerClass(fields);
  return {
    labels: readLabels(fields),
    minConfidence: readThreshold(fields),
    anchor: ANCHORS[anchor] ?? 'bottomCentre',
    ...(perClass === undefined ? {} : { perClass }),
  };
}

const CLASS_KEYS = ['confidence_threshold', 'anchor', 'seconds'];

function readPerClass(fields: Fields): Readonly<Record<string, ClassSettings>> | undefined {
  const form = '{"person": {"confidence_threshold": 60, "anchor": "centre", "seconds": 5}}';
  const read = fields.json('per_class', form);
  if (!read) return undefined;
  const entries = isObject(read.value) ? Object.entries(read.value) : undefined;
  if (!entries || entries.length > MAX_LABELS) {
    fields.error('per_class', `expected an object by label, such as ${form}`);
    return undefined;
  }
  const settings = entries.flatMap(([label, value]): [string, ClassSettings][] => {
    const one =
      isObject(value) && Object.keys(value).every((key) => CLASS_KEYS.includes(key)) ? classSettings(value) : undefined;
    if (one === undefined)
      fields.error('per_class', `the settings of ${JSON.stringify(label.slice(0, 60))} are not such as ${form}`);
    return one === undefined ? [] : [[label, one]];
  });
  return Object.fromEntries(settings);
}

function classSettings(value: Readonly<Record<string, unknown>>): ClassSettings | undefined {
  const { confidence_threshold: threshold, anchor, seconds } = value;
  const number = (item: unknown, max: number): item is number => typeof item === 'number' && item >= 0 && item <= max;
  if (threshold !== undefined && !number(threshold, 100)) return undefined;
  if (seconds !== undefined && !number(seconds, 86_400)) return undefined;
  const point = typeof anchor === 'string' ? ANCHORS[anchor] : undefined;
  if (anchor !== undefined && point === undefined) return undefined;
  return {
    ...(threshold === undefined ? {} : { minConfidence: threshold / 100 }),
    ...(point === undefined ? {} : { anchor: point }),
    ...(seconds === undefined ? {} : { seconds }),
  };
}
