import { isObject } from '@vantage/contracts';
import type { JsonPath } from './problem.ts';

type JsonObject = Readonly<Record<string, unknown>>;

export interface Placed<T> {
  readonly name: string;
  readonly path: JsonPath;
  readonly value: T;
}

/** The parts of a deployment that checks look at, each with its place; whole, legacy and layered ones look alike here. */
export interface DeploymentView {
  readonly layered: boolean;
  readonly modules: readonly Placed<JsonObject>[];
  readonly systemModules: readonly Placed<JsonObject>[];
  readonly routes: readonly Placed<unknown>[];
  /** The desired properties of `$edgeHub`; none where a layered deployment names parts of them. */
  readonly hub: readonly Placed<unknown>[];
  /** Desired properties of modules, those of `$edgeAgent` and `$edgeHub` left out. */
  readonly twins: readonly Placed<unknown>[];
}

/** @param manifest plain data */
export function viewDeployment(manifest: unknown): DeploymentView {
  const [content, base] = contentOf(manifest);
  const agent = desiredOf(content, base, '$edgeAgent');
  const hub = desiredOf(content, base, '$edgeHub');
  const objects = (entries: readonly Placed<unknown>[]): Placed<JsonObject>[] =>
    entries.flatMap((entry) => (isObject(entry.value) ? [{ ...entry, value: entry.value }] : []));
  return {
    layered: isObject(manifest) && 'content' in manifest,
    modules: objects(entriesOf(agent, 'modules')),
    systemModules: objects(entriesOf(agent, 'systemModules')),
    routes: entriesOf(hub, 'routes'),
    hub: wholeOf('$edgeHub', hub),
    twins: Object.keys(content)
      .filter((name) => name !== '$edgeAgent' && name !== '$edgeHub')
      .flatMap((name) => wholeOf(name, desiredOf(content, base, name))),
  };
}

function contentOf(manifest: unknown): [content: JsonObject, base: JsonPath] {
  if (!isObject(manifest)) return [{}, []];
  const places: JsonPath[] = [
    ['modulesContent'],
    ['moduleContent'],
    ['content', 'modulesContent'],
    ['content', 'moduleContent'],
  ];
  for (const place of places) {
    const found = place.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), manifest);
    if (isObject(found)) return [found, place];
  }
  return [{}, []];
}

/** A part of the desired properties of a module: `at` is where in them, dotted, as layered deployments write it. */
interface DesiredPart {
  readonly at: string;
  readonly path: JsonPath;
  readonly value: unknown;
}

function desiredOf(content: JsonObject, base: JsonPath, name: string): DesiredPart[] {
  const twin = content[name];
  if (!isObject(twin)) return [];
  return Object.entries(twin).flatMap(([key, value]): DesiredPart[] => {
    if (key === 'properties.desired') return [{ at: '', path: [...base, name, key], value }];
    if (key.startsWith('properties.desired.')) {
      return [{ at: key.slice('properties.desired.'.length), path: [...base, name, key], value }];
    }
    if (key !== 'properties' || !isObject(value)) return [];
    return [{ at: '', path: [...base, name, key, 'desired'], value: value['desired'] }];
  });
}

function wholeOf(name: string, parts: readonly DesiredPart[]): Placed<unknown>[] {
  return parts.flatMap(({ at, path, value }) => (at === '' ? [{ name, path, value }] : []));
}

/** The entries of `section`, wherever they stand: in it, or named one by one. */
function entriesOf(parts: readonly DesiredPart[], section: string): Placed<unknown>[] {
  return parts.flatMap(({ at, path, value }): Placed<unknown>[] => {
    if (at.startsWith(`${section}.`)) return [{ name: at.slice(section.length + 1), path, value }];
    const [entries, where] =
      at === section ? [value, path] : at === '' && isObject(value) ? [value[section], [...path, section]] : [];
    if (!isObject(entries) || where === undefined) return [];
    return Object.entries(entries).map(([name, entry]) => ({ name, path: [...where, name], value: entry }));
  });
}
