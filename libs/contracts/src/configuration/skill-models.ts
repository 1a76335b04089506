import { isObject } from '../json.ts';
import { DEEPSTREAM_PARSERS, skillModelSchema } from '../twins/controller-twin.ts';
import { codeOf, parserName } from './pipelines.ts';
import { pathOf, withoutNulls, type Report } from './report.ts';
import { checkName } from './sensors.ts';
import type { SkillModelConfig, ValidationOptions } from './types.ts';
import { quote } from './wording.ts';

const MAX_MODELS = 64;
const LEFT_OUT = 'The model is left out.';

export interface ReadModel {
  readonly model: SkillModelConfig;
  readonly accepted: unknown;
}

/** `components.models`: what model nodes of skills name. */
export function readModels(
  value: unknown,
  path: string,
  report: Report,
  options: ValidationOptions,
): readonly ReadModel[] {
  const models = new Map<string, ReadModel>();
  (report.items(value, path, MAX_MODELS) ?? []).forEach((item, index) => {
    const model = readModel(item, pathOf(path, index), report, options);
    if (model === undefined) return;
    if (models.has(model.name)) {
      report.warn(pathOf(path, index, 'name'), `there is another model ${quote(model.name)}; this one counts.`);
    }
    models.set(model.name, { model, accepted: item });
  });
  return [...models.values()];
}

function readModel(
  value: unknown,
  path: string,
  report: Report,
  options: ValidationOptions,
): SkillModelConfig | undefined {
  if (!isObject(value)) {
    report.error(path, `expected an object with name and configFile. ${LEFT_OUT}`);
    return undefined;
  }
  const errorsBefore = report.errorCount;
  report.unknownKeys(value, Object.keys(skillModelSchema.shape), path);
  const head = report.parse(skillModelSchema, withoutNulls(value), path, LEFT_OUT);
  if (head === undefined || !checkName(head.name, pathOf(path, 'name'), report, LEFT_OUT)) return undefined;
  const configFile = head.configFile.trim();
  if (configFile === '') report.error(pathOf(path, 'configFile'), `is empty. Name the model's file. ${LEFT_OUT}`);
  const url = head.unsecureZipUrl?.trim() ?? '';
  if (url !== '' && !/^(https?|file):\/\/\S+$/i.test(url)) {
    report.error(pathOf(path, 'unsecureZipUrl'), `expected an http://, https:// or file:// address. ${LEFT_OUT}`);
  }
  const code = codeOf(head, path, report);
  const parser = Object.keys(code).length > 0 ? '' : parserName(head.parser?.trim() ?? '');
  const known = [...DEEPSTREAM_PARSERS, ...(options.parsers ?? [])].map(parserName);
  if (parser !== '' && !known.includes(parser)) {
    const hint = known.map((one) => quote(one)).join(', ');
    report.error(pathOf(path, 'parser'), `there is no parser ${quote(parser)}. Use one of ${hint}. ${LEFT_OUT}`);
  }
  if (report.errorCount > errorsBefore) return undefined;
  const digest = head.sha256 === undefined ? {} : { sha256: head.sha256.toLowerCase() };
  return {
    name: head.name,
    ...(url === '' ? {} : { zip: { url, ...digest } }),
    configFile,
    ...code,
    ...(parser === '' ? {} : { parser }),
    type: head.type ?? 'detection',
  };
}
