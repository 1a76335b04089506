import { isObject } from '../json.ts';
import {
  DEEPSTREAM_PARSERS,
  pipelineConfigSchema,
  primaryModelSchema,
  secondaryModelSchema,
} from '../twins/controller-twin.ts';
import { readPipelineOptions } from './pipeline-options.ts';
import { pathOf, typeName, withoutNulls, type Report } from './report.ts';
import { checkName } from './sensors.ts';
import type { PipelineConfig, PrimaryModel, SecondaryModel, TrackerChoice, ValidationOptions } from './types.ts';
import { quote, suggestion } from './wording.ts';

const MAX_PIPELINES = 64;
const LEFT_OUT = 'The pipeline is left out.';

const headSchema = pipelineConfigSchema.omit({
  primaryModelConfigPath: true,
  secondaryModelConfigPaths: true,
  pipelineOptions: true,
});

export interface ReadPipelines {
  /** By id, in the order of the twin, each with the part of the twin it came from. */
  readonly pipelines: ReadonlyMap<string, { readonly pipeline: PipelineConfig; readonly accepted: unknown }>;
  readonly leftOut: ReadonlySet<string>;
}

/** `components.deepStream.pipelineConfigs`. A pipeline with any error in it is left out as a whole. */
export function readPipelines(value: unknown, path: string, report: Report, options: ValidationOptions): ReadPipelines {
  const pipelines = new Map<string, { pipeline: PipelineConfig; accepted: unknown; index: number }>();
  const leftOut = new Set<string>();
  (report.items(value, path, MAX_PIPELINES) ?? []).forEach((item, index) => {
    const itemPath = pathOf(path, index);
    const pipeline = readPipeline(item, itemPath, report, options);
    if (pipeline === undefined) {
      if (isObject(item) && typeof item['id'] === 'string') leftOut.add(item['id']);
      return;
    }
    const earlier = pipelines.get(pipeline.id);
    if (earlier !== undefined) {
      const wins = `${quote(pipeline.id)} is also the id of pipelineConfigs[${index}]; the last one counts. Give each its own id.`;
      report.warn(pathOf(path, earlier.index, 'id'), wins);
    }
    const lower = pipeline.id.toLowerCase();
    const clash = [...pipelines.keys()].find((id) => id !== pipeline.id && id.toLowerCase() === lower);
    if (clash !== undefined) {
      const effect = 'They share their clip names and live address, which are lower case';
      report.warn(pathOf(itemPath, 'id'), `${quote(pipeline.id)} and ${quote(clash)} differ in case only. ${effect}.`);
    }
    pipelines.set(pipeline.id, { pipeline, accepted: item, index });
  });
  for (const id of pipelines.keys()) leftOut.delete(id);
  return { pipelines, leftOut };
}

function readPipeline(
  value: unknown,
  path: string,
  report: Report,
  options: ValidationOptions,
): PipelineConfig | undefined {
  if (!isObject(value)) {
    report.error(path, `expected an object with id and primaryModelConfigPath. ${LEFT_OUT}`);
    return undefined;
  }
  const errorsBefore = report.errorCount;
  report.unknownKeys(value, Object.keys(pipelineConfigSchema.shape), path);
  const head = report.parse(headSchema, withoutNulls(value), path, LEFT_OUT);
  if (head !== undefined) checkName(head.id, pathOf(path, 'id'), report, LEFT_OUT);
  const primary = readPrimary(value['primaryModelConfigPath'], pathOf(path, 'primaryModelConfigPath'), report, options);
  const secondaries = readSecondaries(
    value['secondaryModelConfigPaths'],
    pathOf(path, 'secondaryModelConfigPaths'),
    report,
  );
  const drawn = readPipelineOptions(value['pipelineOptions'], pathOf(path, 'pipelineOptions'), report);
  const tracker = trackerOf(head?.trackerConfigPath ?? '');
  const zipUrl = head?.unsecureZipUrl?.trim() ?? '';
  if (zipUrl !== '' && !/^(https?|file):\/\/\S+$/i.test(zipUrl)) {
    report.error(pathOf(path, 'unsecureZipUrl'), `expected an http://, https:// or file:// address. ${LEFT_OUT}`);
  }
  if (primary === undefined && report.errorCount === errorsBefore) {
    const remedy = `Set primaryModelConfigPath or empty this. ${LEFT_OUT}`;
    if (secondaries.length > 0) {
      report.error(
        pathOf(path, 'secondaryModelConfigPaths'),
        `a secondary model works on the objects of a primary one. ${remedy}`,
      );
    }
    if (tracker.kind !== 'none') {
      report.error(pathOf(path, 'trackerConfigPath'), `a tracker follows the objects of a primary model. ${remedy}`);
    }
  }
  if (head === undefined || report.errorCount > errorsBefore) return undefined;
  const passthrough = head.deepstreamPassthrough?.trim() ?? '';
  return {
    id: head.id,
    ...(zipUrl === ''
      ? {}
      : { zip: { url: zipUrl, ...(head.sha256 === undefined ? {} : { sha256: head.sha256.toLowerCase() }) } }),
    ...(primary === undefined ? {} : { primary }),
    secondaries,
    tracker,
    ...(passthrough === '' ? {} : { passthrough }),
    ...drawn,
  };
}

function trackerOf(path: string): TrackerChoice {
  const trimmed = path.trim();
  if (trimmed === '') return { kind: 'none' };
  return trimmed.toLowerCase() === 'light-tracker' ? { kind: 'light' } : { kind: 'file', path: trimmed };
}

function readPrimary(
  value: unknown,
  path: string,
  report: Report,
  options: ValidationOptions,
): PrimaryModel | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value.trim() === '' ? undefined : { configFile: value.trim() };
  if (!isObject(value)) {
    report.error(path, `expected a path or an object with configFile, found ${typeName(value)}. ${LEFT_OUT}`);
    return undefined;
  }
  if (Object.keys(value).length === 0) return undefined;
  report.unknownKeys(value, Object.keys(primaryModelSchema.shape), path);
  const model = report.parse(primaryModelSchema, withoutNulls(value), path, LEFT_OUT);
  if (model === undefined) return undefined;
  const code = codeOf(model, path, report);
  const parser = (model.parser ?? '').trim();
  const configFile = model.configFile.trim();
  if (configFile === '') {
    if (parser !== '' || Object.keys(code).length > 0) {
      report.error(pathOf(path, 'configFile'), `a parser needs a model to read from, and this is empty. ${LEFT_OUT}`);
    }
    return undefined;
  }
  if (parser === '') return { configFile, ...code };
  if (Object.keys(code).length > 0) {
    report.warn(pathOf(path, 'parser'), 'is ignored, because a file with a parser is also given.');
    return { configFile, ...code };
  }
  const known = [...DEEPSTREAM_PARSERS, ...(options.parsers ?? [])].map(parserName);
  const name = parserName(parser);
  if (!known.includes(name)) {
    const hint = known.map((item) => quote(item)).join(', ');
    report.error(
      pathOf(path, 'parser'),
      `there is no parser ${quote(parser)}. Use one of ${hint}, or give pyFile. ${LEFT_OUT}`,
    );
    return undefined;
  }
  return { configFile, parser: name };
}

/** The documents write `tiny-yolov3`, the original's code `tiny_yolov3` (J). */
export function parserName(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

function readSecondaries(value: unknown, path: string, report: Report): readonly SecondaryModel[] {
  if (value === undefined || value === null || value === '') return [];
  const single = !Array.isArray(value);
  const items = single ? [value] : (report.items(value, path, 16) ?? []);
  return items.flatMap((item, index) => {
    const model = readSecondary(item, single ? path : pathOf(path, index), report);
    return model === undefined ? [] : [model];
  });
}

function readSecondary(value: unknown, path: string, report: Report): SecondaryModel | undefined {
  if (value === null || (typeof value === 'string' && value.trim() === '')) return undefined;
  if (typeof value === 'string') return { configFile: value.trim() };
  if (!isObject(value)) {
    report.error(path, `expected a path or an object with configFile, found ${typeName(value)}. ${LEFT_OUT}`);
    return undefined;
  }
  if (Object.keys(value).length === 0) return undefined;
  report.unknownKeys(value, Object.keys(secondaryModelSchema.shape), path);
  const model = report.parse(secondaryModelSchema, withoutNulls(value), path, LEFT_OUT);
  if (model === undefined) return undefined;
  if (model.configFile.trim() === '') {
    report.error(pathOf(path, 'configFile'), `is empty. Name the model's configuration file. ${LEFT_OUT}`);
    return undefined;
  }
  if (model.parser !== undefined && model.parser !== '') {
    report.warn(pathOf(path, 'parser'), 'is ignored for secondary models. Use pyFile.');
  }
  return { configFile: model.configFile.trim(), ...codeOf(model, path, report) };
}

/** `pyFile` before `jsFile`; empty text is absent. */
export function codeOf(
  model: { readonly pyFile?: string | undefined; readonly jsFile?: string | undefined },
  path: string,
  report: Report,
): { readonly pyFile?: string; readonly jsFile?: string } {
  const pyFile = model.pyFile?.trim() ?? '';
  const jsFile = model.jsFile?.trim() ?? '';
  if (pyFile !== '' && jsFile !== '') report.warn(pathOf(path, 'jsFile'), 'is ignored, because pyFile is also given.');
  if (pyFile !== '') return { pyFile };
  return jsFile === '' ? {} : { jsFile };
}

/** What to say about a configId that leads nowhere. */
export function unknownPipeline(id: string, read: ReadPipelines): string {
  if (read.leftOut.has(id)) return `the pipeline ${quote(id)} was left out because of the errors reported for it.`;
  return `there is no pipelineConfig with the id ${quote(id)}. ${suggestion(id, [...read.pipelines.keys()])}`;
}
