import { closest } from '@vantage/contracts';
import { quote } from '../issue.ts';
import type { ModelNode } from '../../graph.ts';
import type { SkillNode } from '../document.ts';
import type { Fields } from '../fields.ts';
import type { NodeType, ReadContext, SkillModel } from './node-type.ts';

/** Names that the reference's runtime gives to kinds of models; the model itself is named elsewhere. */
const KINDS: ReadonlyMap<string, SkillModel['type']> = new Map([
  ['object_detection_model', 'detection'],
  ['classification_model', 'classification'],
]);

const TYPES = ['detection', 'classification'] as const;

/** `Run ML model`: a model of the twin's table by its name, or one that the node describes itself. */
export const model: NodeType = {
  type: 'model',
  label: 'Run ML model',
  read(fields, node, context) {
    checkRetraining(fields);
    fields.ignore('symphony_name', 'provider');
    const named = nameOf(node, fields);
    const found = fields.has('config_file') ? described(fields, named) : known(fields, named, context);
    const type = fields.choice('model_type', TYPES, found?.type ?? KINDS.get(node.name) ?? 'detection');
    const operateOn = fields.has('operate_on')
      ? { operateOn: fields.choice('operate_on', ['frame', 'objects'] as const, 'frame') }
      : {};
    if (!found) return undefined;
    return { kind: 'model', model: { kind: 'model', id: node.id, ...placeOf(found) }, type, ...operateOn };
  },
};

/** Where the files are and what reads the outputs. */
function placeOf({ package: zip, configFile, parser, pyFile, jsFile }: SkillModel): Omit<ModelNode, 'kind' | 'id'> {
  return {
    ...(zip ? { package: zip } : {}),
    configFile,
    ...(parser === undefined ? {} : { parser }),
    ...(pyFile === undefined ? {} : { pyFile }),
    ...(jsFile === undefined ? {} : { jsFile }),
  };
}

/** `model` wins, since then `name` is only a word for the kind of node. */
function nameOf({ name, model: own }: SkillNode, fields: Fields): string {
  const configured = fields.text('model');
  return own ?? (KINDS.has(name) ? configured : undefined) ?? name;
}

function described(fields: Fields, name: string): SkillModel | undefined {
  const configFile = fields.required('config_file', 'the nvinfer configuration of the model');
  const url = fields.text('package_url');
  if (url !== undefined && !/^(https?|file):\/\/\S+$/i.test(url)) {
    fields.error('package_url', 'expected an http://, https:// or file:// address of a zip');
  }
  const sha256 = fields.text('sha256')?.toLowerCase();
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) fields.error('sha256', 'expected 64 hexadecimal digits');
  const code = (['py_file', 'js_file', 'parser'] as const).filter((key) => fields.has(key));
  if (code.length > 1) fields.warn(code[1] ?? 'parser', `has no effect, because ${code[0] ?? 'another'} is also given`);
  const [reader] = code;
  const text = reader === undefined ? undefined : fields.text(reader);
  if (configFile === undefined) return undefined;
  return {
    name,
    configFile,
    ...(url === undefined ? {} : { package: { url, ...(sha256 === undefined ? {} : { sha256 }) } }),
    ...(reader === 'parser' && text !== undefined ? { parser: text.toLowerCase().replaceAll('-', '_') } : {}),
    ...(reader === 'py_file' && text !== undefined ? { pyFile: text } : {}),
    ...(reader === 'js_file' && text !== undefined ? { jsFile: text } : {}),
  };
}

function known(fields: Fields, name: string, { models }: ReadContext): SkillModel | undefined {
  fields.ignore('config_file');
  for (const key of ['package_url', 'sha256', 'parser', 'py_file', 'js_file']) {
    if (fields.has(key)) fields.warn(key, 'has no effect without config_file');
  }
  // Without a table, a name is all there is to say.
  if (!models) return { name, configFile: '' };
  const found = models.get(name);
  if (!found) {
    const similar = closest(name, models.keys());
    const hint =
      similar === undefined ? 'Add it to components.models, or give config_file' : `Did you mean ${quote(similar)}?`;
    fields.error('', `there is no model ${quote(name)}. ${hint}`);
  }
  return found;
}

/** Pictures for retraining are not collected here; their settings are checked, since other runtimes read them. */
function checkRetraining(fields: Fields): void {
  const percent = { min: 0, max: 100 };
  const lower = fields.number('confidence_lower', 0, percent);
  const upper = fields.number('confidence_upper', 0, percent);
  if (lower > upper) fields.error('confidence_upper', `is less than confidence_lower (${lower})`);
  if (fields.whole('max_images', 0, percent) > 0) {
    fields.warn('max_images', 'pictures for retraining are not collected by this version');
  }
}
