/** A JSON object as it stands in a twin. */
export type TwinObject = Record<string, unknown>;

export interface MergeTwinOptions {
  /**
   * What becomes of a null inside an object that the base does not have yet. edgeHub lets it survive ('keep', the
   * default, contract iot-edge-runtime B.5); IoT Hub itself, and RFC 7386, drop it ('drop').
   */
  readonly newObjectNulls?: 'keep' | 'drop';
}

/** True for an object that a twin merges key by key; arrays and scalars are replaced whole. */
export function isTwinObject(value: unknown): value is TwinObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Applies a twin patch: objects merge deeply, arrays and scalars replace, null deletes.
 *
 * Pure: neither argument is changed and the result shares no object with them. Keys that begin with `$` (`$version`,
 * `$metadata`) are treated like any other.
 *
 * @example mergeTwin({ a: [1, 2], b: { c: 1, d: 2 } }, { a: [9], b: { c: null } }) // { a: [9], b: { d: 2 } }
 */
export function mergeTwin(base: TwinObject, patch: TwinObject, options: MergeTwinOptions = {}): TwinObject {
  const merged = new Map<string, unknown>(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      merged.delete(key);
      continue;
    }
    const old = merged.get(key);
    if (!isTwinObject(value)) merged.set(key, value);
    else if (isTwinObject(old)) merged.set(key, mergeTwin(old, value, options));
    else merged.set(key, options.newObjectNulls === 'drop' ? mergeTwin({}, value, options) : value);
  }
  return toObject([...merged].map(([key, value]) => [key, copy(value)]));
}

/**
 * The patch that turns `from` into `to`: `mergeTwin(from, diffTwin(from, to))` equals `to` as long as `to` holds no
 * nulls (a patch cannot say "set to null"). Keys that are gone become null; arrays that differ are given whole.
 */
export function diffTwin(from: TwinObject, to: TwinObject): TwinObject {
  const patch: [string, unknown][] = [];
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch.push([key, null]);
  for (const [key, value] of Object.entries(to)) {
    const old = Object.hasOwn(from, key) ? from[key] : undefined;
    if (Object.hasOwn(from, key) && twinEquals(old, value)) continue;
    patch.push([key, isTwinObject(old) && isTwinObject(value) ? diffTwin(old, value) : copy(value)]);
  }
  return toObject(patch);
}

/** Deep equality of JSON values; the order of keys does not count, the order of array elements does. */
export function twinEquals(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((value, index) => twinEquals(value, b[index]));
  }
  if (!isTwinObject(a) || !isTwinObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && twinEquals(a[key], b[key]))
  );
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  return isTwinObject(value) ? toObject(Object.entries(value).map(([key, item]) => [key, copy(item)])) : value;
}

/** `Object.fromEntries` defines, it does not assign: a key named `__proto__` in a twin stays data. */
function toObject(entries: [string, unknown][]): TwinObject {
  return Object.fromEntries(entries);
}
