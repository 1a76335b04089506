import { isTwinObject, type TwinObject } from '@vantage/contracts';
import type { Configuration } from './types.ts';

export const DESIRED = 'properties.desired';

export const isDesiredKey = (key: string): boolean => key === DESIRED || /^properties\.desired(\.[^.]+)+$/.test(key);

/** Whether `modulesContent` is a layer: it sets parts of `$edgeAgent` at most, never the whole. */
export function isLayer(modules: TwinObject): boolean {
  const agent = modules['$edgeAgent'];
  return Object.keys(modules).length > 0 && !(isTwinObject(agent) && DESIRED in agent);
}

export const modulesOf = ({ content }: Configuration): TwinObject =>
  isTwinObject(content['modulesContent']) ? content['modulesContent'] : {};

/** Orders configurations so that one that wins comes after those it wins over: by priority, then the newest. */
export function byPriority(a: Configuration, b: Configuration): number {
  return a.priority - b.priority || a.createdTimeUtc.localeCompare(b.createdTimeUtc) || a.sequence - b.sequence;
}

/** What an edge device gets of the configurations that are meant for it. */
export interface EdgeOutcome {
  /** The base and the layers on it; the lowest first. */
  readonly applied: readonly Configuration[];
  /** Undefined: there is no base, and without one layers do nothing. */
  readonly modulesContent: TwinObject | undefined;
}

/**
 * Chooses and merges the configurations of an edge device: the base with the highest priority wins, and layers of a
 * higher priority than it lie on it in the order of their priorities (contract iot-edge-runtime D.3).
 */
export function mergeLayers(targeting: readonly Configuration[]): EdgeOutcome {
  const ordered = targeting.filter((one) => Object.keys(modulesOf(one)).length > 0).sort(byPriority);
  const base = ordered.findLast((one) => !isLayer(modulesOf(one)));
  if (base === undefined) return { applied: [], modulesContent: undefined };
  const layers = ordered.filter((one) => isLayer(modulesOf(one)) && one.priority > base.priority);
  const applied = [base, ...layers];
  const desired = new Map<string, TwinObject>();
  for (const configuration of applied) {
    for (const [moduleId, settings] of Object.entries(modulesOf(configuration))) {
      if (isTwinObject(settings)) desired.set(moduleId, lay(settings, desired.get(moduleId) ?? {}));
    }
  }
  const modules = [...desired].map(([moduleId, value]): [string, TwinObject] => [moduleId, { [DESIRED]: value }]);
  return { applied, modulesContent: Object.fromEntries(modules) };
}

/** Bare `properties.desired` overwrites what was there; `properties.desired.a.b` sets what is at that path. */
function lay(settings: TwinObject, below: TwinObject): TwinObject {
  const bare = settings[DESIRED];
  let desired = isTwinObject(bare) ? bare : below;
  for (const [key, value] of Object.entries(settings)) {
    if (key !== DESIRED) desired = setAt(desired, pathOf(key), value);
  }
  return desired;
}

/** The path in the desired properties that a key of a configuration names. */
export const pathOf = (key: string): string[] => key.split('.').slice(2);

/** A copy with the value at the path. */
export function setAt(object: TwinObject, [name, ...rest]: readonly string[], value: unknown): TwinObject {
  if (name === undefined) return isTwinObject(value) ? { ...object, ...value } : object;
  const inner = Object.hasOwn(object, name) ? object[name] : undefined;
  return { ...object, [name]: rest.length === 0 ? value : setAt(isTwinObject(inner) ? inner : {}, rest, value) };
}

/** What the configurations of a device's or module's own twin set, and which of them have a part in it. */
export interface TwinOutcome {
  readonly applied: readonly Configuration[];
  /** To be merged into the desired properties. */
  readonly patch: TwinObject;
}

/** Of several settings at one path that of the highest priority is taken; settings at different paths go together. */
export function mergeSettings(targeting: readonly Configuration[]): TwinOutcome {
  const taken: string[] = [];
  const applied: Configuration[] = [];
  let patch: TwinObject = {};
  for (const configuration of [...targeting].sort(byPriority).reverse()) {
    const { deviceContent, moduleContent } = configuration.content;
    const content = deviceContent ?? moduleContent;
    const settings = Object.entries(isTwinObject(content) ? content : {});
    const free = settings.filter(([key]) => !taken.some((other) => overlaps(key, other)));
    for (const [key, value] of free) patch = setAt(patch, pathOf(key), value);
    if (free.length > 0 || settings.length === 0) applied.push(configuration);
    taken.push(...free.map(([key]) => key));
  }
  return { applied, patch };
}

function overlaps(key: string, other: string): boolean {
  return key === other || key.startsWith(`${other}.`) || other.startsWith(`${key}.`);
}
