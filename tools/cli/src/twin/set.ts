import { VantageError, isTwinObject, type TwinObject } from '@vantage/contracts';
import { pathKeys, type JsonPath } from '@vantage/manifest';

/** Longer lists are no mistake of ours. */
const MAX_INDEX = 10_000;

export interface Assignment {
  /** As it was typed. */
  readonly path: string;
  readonly keys: JsonPath;
  readonly value: unknown;
}

/** `path=value` as keys and value: JSON where it is, else the text as it stands. @throws VantageError PATCH_INVALID */
export function parseAssignment(text: string): Assignment {
  const at = text.indexOf('=');
  const path = text.slice(0, at);
  const keys = at < 1 ? [] : pathKeys(path);
  if (keys.length === 0)
    throw new VantageError('PATCH_INVALID', `"${text}" is not of the form path=value, such as a.b[0].c=5`);
  const raw = text.slice(at + 1);
  try {
    return { path, keys, value: JSON.parse(raw) };
  } catch {
    return { path, keys, value: raw };
  }
}

/**
 * A copy of desired properties in which `keys` has a value; null removes it. Objects on the way are made; an index one
 * behind a list's end adds to it. @throws VantageError PATCH_INVALID where a key does not fit what is there
 */
export function withValue(desired: TwinObject, keys: JsonPath, value: unknown): TwinObject {
  const changed = put(desired, keys, value, '');
  return isTwinObject(changed) ? changed : {};
}

function put(here: unknown, [key, ...rest]: JsonPath, value: unknown, where: string): unknown {
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const list: unknown[] = Array.isArray(here)
      ? [...(here as unknown[])]
      : here === undefined
        ? []
        : refuse(where, 'is no list');
    if (key > list.length || key > MAX_INDEX) refuse(where, `has ${list.length} entries: there is no [${key}]`);
    if (value === null && rest.length === 0) return list.filter((_, at) => at !== key);
    list[key] = put(list[key], rest, value, `${where}[${key}]`);
    return list;
  }
  if (here !== undefined && !isTwinObject(here))
    refuse(where, `has no "${key}": it is ${Array.isArray(here) ? 'a list' : 'no object'}`);
  const object = isTwinObject(here) ? here : {};
  if (value === null && rest.length === 0)
    return Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
  const child = put(
    Object.hasOwn(object, key) ? object[key] : undefined,
    rest,
    value,
    where === '' ? key : `${where}.${key}`,
  );
  return Object.fromEntries([...Object.entries(object).filter(([name]) => name !== key), [key, child]]);
}

function refuse(where: string, what: string): never {
  throw new VantageError('PATCH_INVALID', `${where === '' ? 'the twin' : where} ${what}`);
}

/** The value at a place, or undefined. */
export function valueAt(value: unknown, keys: JsonPath): unknown {
  return keys.reduce<unknown>((here, key) => {
    if (typeof key === 'number') return Array.isArray(here) ? (here as unknown[])[key] : undefined;
    return isTwinObject(here) && Object.hasOwn(here, key) ? here[key] : undefined;
  }, value);
}
