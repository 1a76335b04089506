import { isObject, type JsonObject } from '../json.ts';
import { azdaConfigurationSchema, componentsSchema, deepStreamSchema } from '../twins/controller-twin.ts';
import { tooBig } from './bounds.ts';
import { readLogLevel } from './log-level.ts';
import { readPipelines } from './pipelines.ts';
import { pathOf, Report, typeName } from './report.ts';
import { readSensors } from './sensors.ts';
import { readModels } from './skill-models.ts';
import { readSkills } from './skills.ts';
import { readStreams } from './streams.ts';
import type { Components, ConfigurationResult, LogLevel, Sensor, ValidationOptions } from './types.ts';
import { quote } from './wording.ts';

const ROOT = 'components';
const KEPT = 'What ran before is kept.';

/** Names of the twin root in releases before 2212 (A.1). */
const FORMER_ROOTS = ['azdaSkill', 'perceptSkill'] as const;

/**
 * Reads the configuration of the controllermodule: the value of `azdaConfiguration`, or an object that contains it (the
 * desired properties, a file made from them). Never throws.
 *
 * One bad sensor, region, pipeline or stream is reported and left out; the rest can run. Only what cannot be understood
 * at all, or would leave nothing to run although it is enabled, is rejected as a whole (`components` undefined): an edit
 * that breaks everything must not stop what ran before. To stop everything, set `deepStream.enable` to false.
 *
 * Paths of issues start below `azdaConfiguration`, for example `components.sensors[0].endpoint`.
 */
export function validateConfiguration(input: unknown, options: ValidationOptions = {}): ConfigurationResult {
  const report = new Report();
  const components = componentsOf(input, report);
  return components === undefined ? rejected(report) : readComponents(components, report, options);
}

/** Reads the body of a message on output `DeepStream` (C.1). As {@link validateConfiguration} otherwise, paths included. */
export function validateComponents(input: unknown, options: ValidationOptions = {}): ConfigurationResult {
  const report = new Report();
  const excess = tooBig(input);
  if (excess !== undefined) report.error(ROOT, `the configuration is too big: ${excess}. ${KEPT}`);
  else if (!isObject(input)) report.error(ROOT, `expected an object, found ${typeName(input)}. ${KEPT}`);
  else return readComponents(input, report, options);
  return rejected(report);
}

/**
 * The sensors of a body of output `DeepStream`, with their regions, whatever else is in it: all that business logic needs.
 * `sensors` is undefined when the body cannot be understood.
 */
export function validateSensors(input: unknown): Pick<ConfigurationResult, 'errors' | 'warnings'> & {
  readonly sensors: readonly Sensor[] | undefined;
  readonly businessLogicConfig: JsonObject;
  /** Absent: leave the level as it is. */
  readonly logLevel?: LogLevel;
} {
  const report = new Report();
  const excess = tooBig(input);
  const readable =
    isObject(input) && excess === undefined && (input['sensors'] === undefined || Array.isArray(input['sensors']));
  if (!readable) {
    report.error(ROOT, `expected an object with a list of sensors, found ${excess ?? typeName(input)}. ${KEPT}`);
    return { sensors: undefined, businessLogicConfig: {}, errors: report.errors, warnings: report.warnings };
  }
  const logLevel = readLogLevel(input['logLevel'], pathOf(ROOT, 'logLevel'), report);
  const { sensors } = readSensors(input, ROOT, report);
  return {
    ...(logLevel === undefined ? {} : { logLevel }),
    sensors: [...sensors.values()].map((item) => item.sensor),
    businessLogicConfig: readBusinessLogicConfig(input['businessLogicConfig'], report),
    errors: report.errors,
    warnings: report.warnings,
  };
}

function rejected(report: Report): ConfigurationResult {
  return { components: undefined, accepted: undefined, errors: report.errors, warnings: report.warnings };
}

function componentsOf(input: unknown, report: Report): Readonly<Record<string, unknown>> | undefined {
  const excess = tooBig(input);
  if (excess !== undefined) {
    report.error('', `the configuration is too big: ${excess}. ${KEPT}`);
    return undefined;
  }
  if (!isObject(input)) {
    report.error('', `expected an object azdaConfiguration, found ${typeName(input)}. ${KEPT}`);
    return undefined;
  }
  const wrapped = 'azdaConfiguration' in input;
  const former = FORMER_ROOTS.find((root) => root in input);
  const configuration = wrapped ? input['azdaConfiguration'] : input;
  if (!isObject(configuration)) {
    report.error('', `expected an object azdaConfiguration, found ${typeName(configuration)}. ${KEPT}`);
    return undefined;
  }
  if (!wrapped && former !== undefined && !('components' in configuration)) {
    report.error(former, `${quote(former)} is the name of an older release. Rename it to "azdaConfiguration". ${KEPT}`);
    return undefined;
  }
  report.unknownKeys(configuration, Object.keys(azdaConfigurationSchema.shape), '');
  if (!checkPlatform(configuration['platform'], report)) return undefined;
  const components = configuration['components'];
  if (!isObject(components)) {
    const what =
      components === undefined
        ? 'azdaConfiguration.components is missing'
        : `expected an object, found ${typeName(components)}`;
    report.error(ROOT, `${what}. It holds sensors and deepStream. ${KEPT}`);
    return undefined;
  }
  return components;
}

function checkPlatform(platform: unknown, report: Report): boolean {
  if (platform === undefined || platform === null) {
    report.warn('platform', 'is missing; "DeepStream" is assumed.');
    return true;
  }
  if (typeof platform === 'string' && platform.toLowerCase() === 'deepstream') {
    if (platform !== 'DeepStream') report.warn('platform', 'write "DeepStream", with these capitals.');
    return true;
  }
  const found = typeof platform === 'string' ? quote(platform, 20) : typeName(platform);
  report.error('platform', `expected "DeepStream", found ${found}. ${KEPT}`);
  return false;
}

function readComponents(
  components: Readonly<Record<string, unknown>>,
  report: Report,
  options: ValidationOptions,
): ConfigurationResult {
  report.unknownKeys(components, Object.keys(componentsSchema.shape), ROOT);
  const logLevel = readLogLevel(components['logLevel'], pathOf(ROOT, 'logLevel'), report);
  const sensors = readSensors(components, ROOT, report);
  const businessLogicConfig = readBusinessLogicConfig(components['businessLogicConfig'], report);

  const at = pathOf(ROOT, 'deepStream');
  const hasSkills = Array.isArray(components['skills']) && components['skills'].length > 0;
  const deepStream = components['deepStream'] ?? (hasSkills ? {} : undefined);
  if (!isObject(deepStream)) {
    report.error(
      at,
      `${deepStream === undefined ? 'is missing' : `expected an object, found ${typeName(deepStream)}`}. ${KEPT}`,
    );
    return rejected(report);
  }
  report.unknownKeys(deepStream, Object.keys(deepStreamSchema.shape), at);
  const enabled = deepStream['enable'] ?? true;
  if (typeof enabled !== 'boolean') {
    report.error(pathOf(at, 'enable'), `expected true or false, found ${typeName(enabled)}. ${KEPT}`);
    return rejected(report);
  }
  if (enabled) reportEmptyLists(components, deepStream, hasSkills, report);
  const pipelines = readPipelines(deepStream['pipelineConfigs'], pathOf(at, 'pipelineConfigs'), report, options);
  const streams = readStreams(deepStream['streams'], pathOf(at, 'streams'), sensors, pipelines, report);
  const models = readModels(components['models'], pathOf(ROOT, 'models'), report, options);
  const ids = pipelines.pipelines.keys();
  const skills = readSkills(components['skills'], pathOf(ROOT, 'skills'), sensors, ids, report);
  if (enabled && streams.length === 0 && skills.every(({ skill }) => skill.instances.length === 0)) {
    report.error(
      at,
      `no stream is left that could run. ${KEPT} To stop everything on purpose, set deepStream.enable to false.`,
    );
    return rejected(report);
  }

  const used = new Set(streams.map((item) => item.stream.configId));
  for (const id of pipelines.pipelines.keys()) {
    if (enabled && !used.has(id))
      report.warn(pathOf(at, 'pipelineConfigs'), `no stream uses ${quote(id)}; it does not run.`);
  }
  const result: Components = {
    ...(logLevel === undefined ? {} : { logLevel }),
    enabled,
    sensors: [...sensors.sensors.values()].map((item) => item.sensor),
    pipelines: [...pipelines.pipelines.values()]
      .map((item) => item.pipeline)
      .filter((pipeline) => used.has(pipeline.id)),
    streams: streams.map((item) => item.stream),
    models: models.map((item) => item.model),
    skills: skills.map((item) => item.skill),
    businessLogicConfig,
  };
  const accepted = replaceKeys(components, {
    logLevel: logLevel === undefined ? undefined : components['logLevel'],
    // The flat list has moved to its sensors.
    regionsOfInterest: undefined,
    sensors: [...sensors.sensors.values()].map((item) => item.accepted),
    deepStream: replaceKeys(deepStream, {
      pipelineConfigs: [...pipelines.pipelines.values()].map((item) => item.accepted),
      streams: streams.map((item) => item.accepted),
    }),
    models: models.map((item) => item.accepted),
    skills: skills.map((item) => item.accepted),
    businessLogicConfig,
  });
  return { components: result, accepted, errors: report.errors, warnings: report.warnings };
}

function reportEmptyLists(
  components: Readonly<Record<string, unknown>>,
  deepStream: Readonly<Record<string, unknown>>,
  hasSkills: boolean,
  report: Report,
): void {
  const lists = [
    [pathOf(ROOT, 'sensors'), components['sensors'], 'Add at least one sensor.'],
    [pathOf(ROOT, 'deepStream', 'pipelineConfigs'), deepStream['pipelineConfigs'], 'Add at least one pipelineConfig.'],
    [pathOf(ROOT, 'deepStream', 'streams'), deepStream['streams'], 'Connect a sensor with a pipelineConfig.'],
  ] as const;
  for (const [path, value, remedy] of hasSkills ? lists.slice(0, 1) : lists) {
    if (value === undefined || value === null) report.error(path, `is missing. ${remedy}`);
    else if (Array.isArray(value) && value.length === 0) report.error(path, `is empty. ${remedy}`);
  }
}

function readBusinessLogicConfig(value: unknown, report: Report): JsonObject {
  if (value === undefined || value === null) return {};
  if (isObject(value)) return value as JsonObject;
  report.error(pathOf(ROOT, 'businessLogicConfig'), `expected an object, found ${typeName(value)}. {} is used.`);
  return {};
}

/** The object with some of its values replaced, or removed where the replacement is undefined. Adds no key, keeps their order. */
function replaceKeys(
  value: Readonly<Record<string, unknown>>,
  replacements: Readonly<Record<string, unknown>>,
): JsonObject {
  const entries = Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
    if (!Object.hasOwn(replacements, key)) return [[key, item]];
    return replacements[key] === undefined ? [] : [[key, replacements[key]]];
  });
  return Object.fromEntries(entries) as JsonObject;
}
