import { isTwinObject, type TwinObject } from '@vantage/contracts';
import { isSecretKey, redact } from '@vantage/observability';

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

/** The value of a field that is named like a secret. Empty stays empty, which says that it is not set. */
export function maskWhole(value: unknown): unknown {
  return value === '' || value === null || value === undefined || typeof value === 'boolean' ? value : MASK;
}

function maskText(text: string): string {
  const safe = redact(text);
  return safe === text ? text : safe.replaceAll('***', MASK);
}
