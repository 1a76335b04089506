import { isTwinObject, type TwinObject } from '@vantage/contracts';
import { isSecretKey, redact } from '@vantage/observability';
import { secretUnknown } from '../errors.ts';

/** What a browser sees in place of a secret. */
export const MASK = '•••';

/** A copy for a browser: passwords, keys and user names of cameras are `•••`, also inside of URLs. */
export function maskSecrets(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (!isTwinObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isSecretKey(key) ? maskWhole(item) : maskSecrets(item)]),
  );
}

export function maskObject(value: TwinObject): TwinObject {
  return maskSecrets(value) as TwinObject;
}

/**
 * What a browser sends back, with the secrets that it was not shown: a masked value becomes what stands at the same
 * place of `actual`. Items of lists are the same when their `name` or `id` is, else when their place is.
 *
 * @throws VantageError SECRET_UNKNOWN where a mask stands and there was nothing, or something else around it
 */
export function restoreSecrets(wanted: TwinObject, actual: TwinObject): TwinObject {
  return restore(wanted, actual, '', false) as TwinObject;
}

function restore(wanted: unknown, actual: unknown, path: string, isSecret: boolean): unknown {
  if (typeof wanted === 'string') {
    if (!wanted.includes(MASK)) return wanted;
    const shown = isSecret ? maskWhole(actual) : maskSecrets(actual);
    if (shown === wanted) return actual;
    throw secretUnknown(path);
  }
  if (Array.isArray(wanted)) {
    const old = Array.isArray(actual) ? (actual as unknown[]) : [];
    return wanted.map((item: unknown, at) =>
      restore(item, counterpart(item, at, wanted, old), `${path}[${at}]`, false),
    );
  }
  if (!isTwinObject(wanted)) return wanted;
  const old = isTwinObject(actual) ? actual : {};
  return Object.fromEntries(
    Object.entries(wanted).map(([key, item]) => [
      key,
      restore(
        item,
        Object.hasOwn(old, key) ? old[key] : undefined,
        path === '' ? key : `${path}.${key}`,
        isSecretKey(key),
      ),
    ]),
  );
}

function counterpart(item: unknown, at: number, wanted: readonly unknown[], old: readonly unknown[]): unknown {
  const name = nameOf(item);
  if (name === undefined) return old[at];
  const same = old.find((one) => nameOf(one) === name);
  if (same !== undefined) return same;
  // Renamed in place: what stood here is nowhere else now.
  const before = nameOf(old[at]);
  return wanted.length === old.length && !wanted.some((one) => nameOf(one) === before) ? old[at] : undefined;
}

function nameOf(item: unknown): string | undefined {
  if (!isTwinObject(item)) return undefined;
  const name = item['name'] ?? item['id'];
  return typeof name === 'string' ? name : undefined;
}

function maskWhole(value: unknown): unknown {
  return value === '' || value === null || value === undefined || typeof value === 'boolean' ? value : MASK;
}

function maskText(text: string): string {
  const safe = redact(text);
  return safe === text ? text : safe.replaceAll('***', MASK);
}
