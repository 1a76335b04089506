import { isTwinObject } from '@vantage/contracts';
import { deploymentInvalid } from '../errors.ts';
import { joinChunks, parseCreateOptions } from './create-options.ts';
import type { RestartPolicy } from './restart-policy.ts';

/** A module as the deployment wants it. */
export interface ModuleSpec {
  readonly moduleId: string;
  /** Trimmed, with its tag. */
  readonly image: string;
  readonly status: 'running' | 'stopped';
  readonly restartPolicy: RestartPolicy;
  readonly imagePullPolicy: 'on-create' | 'never';
  /** 0 starts first. */
  readonly startupOrder: number;
  readonly version: string;
  readonly env: Readonly<Record<string, string>>;
  readonly createOptions: Readonly<Record<string, unknown>>;
  /** `createOptions` joined, as it was written. */
  readonly createOptionsText: string;
}

/** A login for a registry, from `runtime.settings.registryCredentials`. */
export interface RegistryCredential {
  readonly address: string;
  readonly username: string;
  readonly password: string;
}

/** The desired properties of `$edgeAgent`, read. */
export interface AgentConfig {
  readonly schemaVersion: string;
  readonly runtime: Readonly<Record<string, unknown>>;
  readonly systemModules: Readonly<Record<string, unknown>>;
  readonly registryCredentials: readonly RegistryCredential[];
  readonly modules: readonly ModuleSpec[];
}

export const MAX_STARTUP_ORDER = 4_294_967_295;
const MODULE_NAME = /^[a-zA-Z0-9_-]+$/;

/** Whether the schema of `$edgeAgent` desired properties is one that is understood: major version 1. */
export function isKnownSchema(desired: unknown): boolean {
  const version = isTwinObject(desired) ? desired['schemaVersion'] : undefined;
  return typeof version === 'string' && /^1(\.\d+){1,3}$/.test(version);
}

/**
 * Reads the desired properties of `$edgeAgent` (contract iot-edge-runtime C.1).
 * @throws VantageError EDGE_DEPLOYMENT_INVALID, with the path of what is wrong
 */
export function parseAgentConfig(desired: unknown): AgentConfig {
  if (!isTwinObject(desired)) throw deploymentInvalid('$edgeAgent: an object expected');
  const version = desired['schemaVersion'];
  if (!isKnownSchema(desired)) {
    throw deploymentInvalid(
      `$edgeAgent.schemaVersion: 1.0 or 1.1 expected, not ${JSON.stringify(version) ?? 'nothing'}`,
    );
  }
  const runtime = objectAt(desired, 'runtime', '$edgeAgent');
  const modules = objectAt(desired, 'modules', '$edgeAgent');
  return {
    schemaVersion: String(version),
    runtime,
    registryCredentials: credentialsOf(runtime),
    systemModules: objectAt(desired, 'systemModules', '$edgeAgent'),
    modules: Object.entries(modules).map(([moduleId, value]) => parseModule(moduleId, value)),
  };
}

function credentialsOf(runtime: Readonly<Record<string, unknown>>): RegistryCredential[] {
  const path = '$edgeAgent.runtime.settings';
  const settings = objectAt(runtime, 'settings', '$edgeAgent.runtime');
  return Object.entries(objectAt(settings, 'registryCredentials', path)).map(([name, value]) => {
    if (!isTwinObject(value)) throw deploymentInvalid(`${path}.registryCredentials.${name}: an object expected`);
    const text = (key: string): string => {
      const item = value[key] ?? '';
      if (typeof item !== 'string')
        throw deploymentInvalid(`${path}.registryCredentials.${name}.${key}: a text expected`);
      return item;
    };
    return { address: text('address'), username: text('username'), password: text('password') };
  });
}

function parseModule(moduleId: string, value: unknown): ModuleSpec {
  const path = `$edgeAgent.modules.${moduleId}`;
  if (!MODULE_NAME.test(moduleId)) throw deploymentInvalid(`${path}: a module name holds only a-z, A-Z, 0-9, _ and -`);
  if (!isTwinObject(value)) throw deploymentInvalid(`${path}: an object expected`);
  if (value['type'] !== undefined && value['type'] !== 'docker') {
    throw deploymentInvalid(`${path}.type: only "docker" is known, not ${JSON.stringify(value['type'])}`);
  }
  const settings = settingsOf(value['settings'], path);
  const text = joinChunks(settings, 'createOptions', true);
  return {
    moduleId,
    image: normalizeImage(settings['image'], `${path}.settings.image`),
    status: oneOf(value['status'] ?? 'running', ['running', 'stopped'], `${path}.status`),
    restartPolicy: oneOf(
      value['restartPolicy'] ?? 'on-unhealthy',
      ['never', 'on-failure', 'on-unhealthy', 'always'],
      `${path}.restartPolicy`,
    ),
    imagePullPolicy: oneOf(value['imagePullPolicy'] ?? 'on-create', ['on-create', 'never'], `${path}.imagePullPolicy`),
    startupOrder: startupOrderOf(value['startupOrder'], path),
    version: typeof value['version'] === 'string' ? value['version'] : '',
    env: parseEnv(value['env'], `${path}.env`),
    createOptions: parseCreateOptions(text),
    createOptionsText: text,
  };
}

/** Some tools write `settings` as a JSON string; edgeAgent takes both. */
function settingsOf(value: unknown, path: string): Record<string, unknown> {
  if (isTwinObject(value)) return value;
  if (typeof value === 'string') return parseCreateOptions(value);
  throw deploymentInvalid(`${path}.settings: an object expected`);
}

/**
 * An image as edgeAgent writes it: trimmed, `:latest` when it has no tag; at most one tag. A registry may carry a port.
 * @throws VantageError EDGE_DEPLOYMENT_INVALID
 */
export function normalizeImage(image: unknown, path = 'image'): string {
  if (typeof image !== 'string' || image.trim() === '') throw deploymentInvalid(`${path}: an image expected`);
  const trimmed = image.trim();
  const name = trimmed.slice(trimmed.lastIndexOf('/') + 1);
  const [base, tag, ...rest] = name.split(':');
  if (base === '' || tag === '' || rest.length > 0 || /\s/.test(trimmed))
    throw deploymentInvalid(`${path}: "${image}" is no image`);
  return tag === undefined && !name.includes('@') ? `${trimmed}:latest` : trimmed;
}

function startupOrderOf(value: unknown, path: string): number {
  if (value === undefined || value === null) return MAX_STARTUP_ORDER;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_STARTUP_ORDER) return value;
  throw deploymentInvalid(`${path}.startupOrder: a number from 0 to ${MAX_STARTUP_ORDER} expected`);
}

function parseEnv(value: unknown, path: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isTwinObject(value)) throw deploymentInvalid(`${path}: an object expected`);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]): [string, string] => {
      const inner = isTwinObject(item) ? item['value'] : undefined;
      if (typeof inner !== 'string' && typeof inner !== 'number' && typeof inner !== 'boolean') {
        throw deploymentInvalid(`${path}.${key}: { "value": string, number or bool } expected`);
      }
      return [key, String(inner)];
    }),
  );
}

function objectAt(object: Readonly<Record<string, unknown>>, key: string, path: string): Record<string, unknown> {
  const value = object[key] ?? {};
  if (!isTwinObject(value)) throw deploymentInvalid(`${path}.${key}: an object expected`);
  return value;
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[], path: string): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw deploymentInvalid(`${path}: one of ${allowed.join(', ')} expected`);
  return found;
}
