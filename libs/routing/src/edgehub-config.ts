import { messageOf } from '@vantage/contracts';
import { edgeHubConfigError, edgeHubSchemaVersionError } from './errors.ts';
import { parseRoute } from './route.ts';
import { DEFAULT_PRIORITY, type RouteDefinition } from './router.ts';

/** What is kept for targets that are away. */
export interface StoreAndForward {
  /** Negative keeps messages for ever. */
  readonly timeToLiveSecs: number;
  readonly maxSizeBytes?: number;
}

export interface EdgeHubConfig {
  readonly schemaVersion: string;
  readonly routes: readonly RouteDefinition[];
  readonly storeAndForward: StoreAndForward;
}

/** The default of edgeHub's template; used where schema 1.0 leaves it out. */
const DEFAULT_TIME_TO_LIVE_SECS = 7200;
const MAX_UINT32 = 0xffff_ffff;

/**
 * Reads the desired properties of `$edgeHub` (schemaVersion 1.0 to 1.3). Accepted or rejected as one: on an error the
 * caller keeps its old routes and reports status 400. The conditions' types are checked by {@link Router}, as edgeHub
 * does. `mqttBroker` and `integrity` are accepted and not interpreted.
 * @throws VantageError EDGEHUB_SCHEMA_VERSION, EDGEHUB_CONFIG
 */
export function parseEdgeHubConfig(desired: unknown): EdgeHubConfig {
  if (!isObject(desired)) throw edgeHubConfigError('an object expected', '$');
  const schemaVersion = readSchemaVersion(desired['schemaVersion']);
  const minor = Number(schemaVersion.split('.')[1]);
  return {
    schemaVersion,
    routes: readRoutes(desired['routes'], minor),
    storeAndForward: readStoreAndForward(desired['storeAndForwardConfiguration'], minor),
  };
}

function readSchemaVersion(version: unknown): string {
  if (version === undefined || version === null) throw edgeHubSchemaVersionError('schemaVersion is missing');
  const text = typeof version === 'number' ? String(version) : version;
  // As .NET's Version: two to four numbers.
  if (typeof text !== 'string' || !/^\d+\.\d+(\.\d+){0,2}$/.test(text.trim())) {
    throw edgeHubSchemaVersionError(`schemaVersion ${JSON.stringify(version)} is no version such as 1.1`);
  }
  const [major, minor] = text.trim().split('.').map(Number);
  if (major !== 1 || minor === undefined || minor > 3) {
    throw edgeHubSchemaVersionError(`schemaVersion ${text} is not supported; 1.0, 1.1, 1.2 and 1.3 are`);
  }
  return text.trim();
}

function readRoutes(routes: unknown, minor: number): RouteDefinition[] {
  if (minor === 0 && (routes === undefined || routes === null)) return [];
  if (!isObject(routes)) throw edgeHubConfigError('an object of routes expected', 'routes');
  const definitions: RouteDefinition[] = [];
  for (const [name, spec] of Object.entries(routes)) {
    const path = `routes.${name}`;
    if (name.trim() === '') throw edgeHubConfigError('empty route name', 'routes');
    if (minor === 0) {
      // 1.0 knows plain strings only, and skips blank ones.
      if (typeof spec !== 'string') throw edgeHubConfigError('a string expected in schema 1.0', path);
      if (spec.trim() !== '') definitions.push(definition(name, path, spec, DEFAULT_PRIORITY, 0));
    } else {
      definitions.push(readRouteSpec(name, path, spec));
    }
  }
  return definitions;
}

function readRouteSpec(name: string, path: string, spec: unknown): RouteDefinition {
  if (typeof spec === 'string') return definition(name, path, spec, DEFAULT_PRIORITY, 0);
  if (!isObject(spec)) throw edgeHubConfigError('a string or an object with "route" expected', path);
  const { route, priority = DEFAULT_PRIORITY, timeToLiveSecs = 0 } = spec;
  if (typeof route !== 'string') throw edgeHubConfigError('a string expected', `${path}.route`);
  if (!isUint32(priority) || (priority > 9 && priority !== DEFAULT_PRIORITY)) {
    throw edgeHubConfigError('a priority from 0 to 9 expected', `${path}.priority`);
  }
  if (!isUint32(timeToLiveSecs)) {
    throw edgeHubConfigError('a whole number of seconds, 0 or more, expected', `${path}.timeToLiveSecs`);
  }
  return definition(name, path, route, priority, timeToLiveSecs);
}

function definition(
  name: string,
  path: string,
  text: string,
  priority: number,
  timeToLiveSecs: number,
): RouteDefinition {
  if (text.trim() === '') throw edgeHubConfigError('empty route', path);
  try {
    return { name, ...parseRoute(text), priority, timeToLiveSecs };
  } catch (error) {
    throw edgeHubConfigError(messageOf(error), path, error);
  }
}

function readStoreAndForward(config: unknown, minor: number): StoreAndForward {
  const path = 'storeAndForwardConfiguration';
  if (minor === 0 && (config === undefined || config === null)) return { timeToLiveSecs: DEFAULT_TIME_TO_LIVE_SECS };
  if (!isObject(config)) throw edgeHubConfigError('an object expected', path);
  const { timeToLiveSecs = 0, storeLimits } = config;
  if (!Number.isInteger(timeToLiveSecs)) {
    throw edgeHubConfigError('a whole number of seconds expected', `${path}.timeToLiveSecs`);
  }
  if (storeLimits === undefined || storeLimits === null) return { timeToLiveSecs: timeToLiveSecs as number };
  const maxSizeBytes = isObject(storeLimits) ? storeLimits['maxSizeBytes'] : undefined;
  if (!Number.isSafeInteger(maxSizeBytes)) {
    throw edgeHubConfigError('a whole number of bytes expected', `${path}.storeLimits.maxSizeBytes`);
  }
  return { timeToLiveSecs: timeToLiveSecs as number, maxSizeBytes: maxSizeBytes as number };
}

function isUint32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_UINT32;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
