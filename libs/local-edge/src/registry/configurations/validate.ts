import { randomBytes } from 'node:crypto';
import { codeOf, isTwinObject, messageOf, type TwinObject } from '@vantage/contracts';
import { parseModulesContent } from '../../agent/deployment.ts';
import { invalidArgument } from '../../errors.ts';
import { parseCondition, parseQuery } from '../query/parser.ts';
import { DESIRED, isDesiredKey, isLayer } from './layers.ts';
import type { Configuration, ConfigurationKind, Target } from './types.ts';

/** IoT Hub's rule: up to 128 characters, no upper case. */
const ID = /^[a-z0-9\-:+%_#*?!(),=@;'$]{1,128}$/;
const LABEL = /^[A-Za-z0-9\-:.+%_#*?!(),=@;' ]{0,128}$/;
const MAX_PRIORITY = 2_147_483_647;
const MAX_METRICS = 20;
const MAX_LABELS = 20;
const MODULE_CONDITION = /^\s*FROM\s+devices\.modules\s+WHERE\s/i;

const CONTENT_KEYS = { modulesContent: 'edge', deviceContent: 'device', moduleContent: 'module' } as const;

/**
 * Reads the body of a PUT of a configuration; `before` is the one that is changed.
 * @throws VantageError EDGE_INVALID_ARGUMENT, EDGE_DEPLOYMENT_INVALID
 */
export function readConfiguration(
  id: string,
  body: TwinObject,
  before: Configuration | undefined,
  sequence: number,
  nowUtc: string,
): Configuration {
  if (!ID.test(id)) {
    throw invalidArgument(
      `the configuration id "${id}" is not valid: 1 to 128 of lower-case letters, digits and -:+%_#*?!(),=@;'$`,
    );
  }
  if (body['id'] !== undefined && body['id'] !== id) throw invalidArgument(`the body names another id than "${id}"`);
  const configuration: Configuration = {
    id,
    schemaVersion: typeof body['schemaVersion'] === 'string' ? body['schemaVersion'] : '1.0',
    labels: readLabels(body['labels'] ?? before?.labels),
    content: readContent(body['content'], before),
    targetCondition: readText(body['targetCondition'] ?? before?.targetCondition ?? '', 'targetCondition'),
    priority: readPriority(body['priority'] ?? before?.priority ?? 0),
    metricQueries: readMetrics(body['metrics'] ?? (before && { queries: before.metricQueries })),
    createdTimeUtc: before?.createdTimeUtc ?? nowUtc,
    sequence: before?.sequence ?? sequence,
    lastUpdatedTimeUtc: nowUtc,
    etag: randomBytes(6).toString('base64'),
  };
  readTarget(configuration);
  return configuration;
}

/** Whom a configuration is for. @throws VantageError EDGE_INVALID_ARGUMENT when the condition is wrong */
export function readTarget({ content, targetCondition }: Pick<Configuration, 'content' | 'targetCondition'>): Target {
  const kind = kindOf(content);
  const text = targetCondition.trim();
  if (text === '') return { kind, condition: undefined, none: true };
  if (text === '*' && kind !== 'module') return { kind, condition: undefined, none: false };
  const prefix = MODULE_CONDITION.exec(targetCondition);
  if (kind === 'module' && prefix === null) {
    throw invalidArgument('targetCondition: that of a module configuration begins with FROM devices.modules WHERE');
  }
  if (kind !== 'module' && prefix !== null) {
    throw invalidArgument('targetCondition: FROM devices.modules WHERE is for configurations with moduleContent');
  }
  // The prefix becomes blanks, so that columns are those of the whole text.
  const condition = ' '.repeat(prefix?.[0].length ?? 0) + targetCondition.slice(prefix?.[0].length ?? 0);
  try {
    return {
      kind,
      condition: parseCondition(condition, kind === 'module' ? 'devices.modules' : 'devices'),
      none: false,
    };
  } catch (error) {
    throw invalidArgument(`targetCondition: ${messageOf(error)}`, error);
  }
}

/** Reads a metric's query. @throws VantageError EDGE_INVALID_ARGUMENT that names the metric */
export function checkMetric(name: string, text: unknown): string {
  const query = readText(text, `metrics.queries.${name}`);
  try {
    if (parseQuery(query).container === 'devices.jobs') throw invalidArgument('metrics are over devices and modules');
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw invalidArgument(`metrics.queries.${name}: ${messageOf(error)}`, error);
  }
  return query;
}

export function kindOf(content: TwinObject): ConfigurationKind {
  return Object.entries(CONTENT_KEYS).find(([key]) => isTwinObject(content[key]))?.[1] ?? 'device';
}

function readContent(content: unknown, before: Configuration | undefined): TwinObject {
  if (content === undefined || content === null) {
    if (before === undefined) throw invalidArgument('content is missing');
    return before.content;
  }
  if (!isTwinObject(content)) throw invalidArgument('content is not an object');
  const given = Object.entries(content).filter(([, value]) => value !== null && value !== undefined);
  const unknown = given.find(([key]) => !Object.hasOwn(CONTENT_KEYS, key));
  if (unknown !== undefined)
    throw invalidArgument(`content.${unknown[0]}: only ${Object.keys(CONTENT_KEYS).join(', ')}`);
  const parts = given.filter(([, value]) => !isTwinObject(value) || Object.keys(value).length > 0);
  if (parts.length > 1)
    throw invalidArgument('content has more than one of modulesContent, deviceContent, moduleContent');
  const clean = Object.fromEntries(parts.length === 0 ? given.slice(0, 1) : parts);
  if (before !== undefined && JSON.stringify(clean) !== JSON.stringify(before.content)) {
    throw invalidArgument(
      'the content of a configuration cannot be changed, only labels, targetCondition, priority and metrics: make a new one',
    );
  }
  for (const [key, value] of Object.entries(clean)) {
    if (!isTwinObject(value)) throw invalidArgument(`content.${key} is not an object`);
    if (key === 'modulesContent') checkModules(value);
    else checkKeys(value, `content.${key}`);
  }
  return clean;
}

/** A base is checked as a whole; of a layer only the keys can be, for what it lies on is not known yet. */
function checkModules(modules: TwinObject): void {
  if (isLayer(modules)) {
    for (const [moduleId, value] of Object.entries(modules)) checkKeys(value, `content.modulesContent.${moduleId}`);
  } else if (Object.keys(modules).length > 0) {
    parseModulesContent(modules);
  }
}

function checkKeys(settings: unknown, path: string): void {
  if (!isTwinObject(settings)) throw invalidArgument(`${path} is not an object`);
  for (const [key, value] of Object.entries(settings)) {
    if (!isDesiredKey(key))
      throw invalidArgument(`${path}: keys are "${DESIRED}" and "${DESIRED}.<path>", not "${key}"`);
    if (key === DESIRED && !isTwinObject(value)) throw invalidArgument(`${path}.${key} is not an object`);
  }
}

function readLabels(labels: unknown): Readonly<Record<string, string>> {
  if (labels === undefined || labels === null) return {};
  if (!isTwinObject(labels)) throw invalidArgument('labels is not an object');
  const entries = Object.entries(labels).map(([name, value]): [string, string] => {
    if (typeof value !== 'string' || !LABEL.test(value) || !LABEL.test(name)) {
      throw invalidArgument(`labels.${name}: up to 128 ASCII letters, digits and -:.+%_#*?!(),=@;' expected`);
    }
    return [name, value];
  });
  if (entries.length > MAX_LABELS) throw invalidArgument(`more than ${MAX_LABELS} labels`);
  return Object.fromEntries(entries);
}

function readMetrics(metrics: unknown): Readonly<Record<string, string>> {
  if (metrics === undefined || metrics === null) return {};
  const queries = isTwinObject(metrics) ? (metrics['queries'] ?? {}) : undefined;
  if (!isTwinObject(queries)) throw invalidArgument('metrics.queries is not an object');
  const entries = Object.entries(queries).map(([name, text]): [string, string] => [name, checkMetric(name, text)]);
  if (entries.length > MAX_METRICS) throw invalidArgument(`more than ${MAX_METRICS} metrics`);
  return Object.fromEntries(entries);
}

function readPriority(priority: unknown): number {
  const number = typeof priority === 'string' ? Number(priority) : priority;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > MAX_PRIORITY) {
    throw invalidArgument(`priority: a whole number from 0 to ${MAX_PRIORITY} expected`);
  }
  return number;
}

function readText(value: unknown, path: string): string {
  if (typeof value !== 'string') throw invalidArgument(`${path} is not a string`);
  return value;
}
