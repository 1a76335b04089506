import { isTwinObject, messageOf } from '@vantage/contracts';
import { deploymentInvalid } from '../errors.ts';

/**
 * Joins a text that is spread over `field`, `field01`, `field02` and so on, as edgeAgent does: in the order of the
 * names, with no gap.
 */
export function joinChunks(settings: Readonly<Record<string, unknown>>, field: string, ignoreCase = false): string {
  const pattern = new RegExp(`^${field}(\\d*)$`, ignoreCase ? 'i' : '');
  const chunks = Object.entries(settings)
    .flatMap(([key, value]) => {
      const suffix = pattern.exec(key)?.[1];
      return suffix === undefined ? [] : [{ key, suffix, value }];
    })
    .sort((a, b) => (a.suffix < b.suffix ? -1 : 1));
  let joined = '';
  for (const [index, { suffix, key, value }] of chunks.entries()) {
    const found = suffix === '' ? `"${key}"` : `${field}${suffix}`;
    if (index === 0 && suffix !== '') {
      throw deploymentInvalid(
        `Error while parsing chunked field "${field}", expected empty field number but found "${suffix}"`,
      );
    }
    if (index > 0 && Number(suffix) !== index) {
      const expected = `${field}${String(index).padStart(2, '0')}`;
      throw deploymentInvalid(`Error while parsing chunked field "${field}", expected ${expected} found ${found}`);
    }
    if (value !== null && value !== undefined && typeof value !== 'string') {
      throw deploymentInvalid(`${key} is not a string`);
    }
    joined += value ?? '';
  }
  return joined;
}

/** Reads the `createOptions` of a module; nothing, blank and "null" mean no options. */
export function parseCreateOptions(text: string | null | undefined): Record<string, unknown> {
  if (text === null || text === undefined || text.trim() === '' || text.trim().toLowerCase() === 'null') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    value = parseSingleQuoted(text, error);
  }
  if (!isTwinObject(value)) throw deploymentInvalid('createOptions is not a JSON object');
  return value;
}

/** edgeAgent reads JSON with Json.NET, which takes single quotes too; people do write them. */
function parseSingleQuoted(text: string, problem: unknown): unknown {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|'((?:[^'\\]|\\.)*)'/g, (all, inner: string | undefined) =>
    inner === undefined ? all : JSON.stringify(inner.replace(/\\'/g, "'")),
  );
  try {
    return JSON.parse(quoted) as unknown;
  } catch {
    throw deploymentInvalid(`createOptions is not JSON: ${messageOf(problem)}`);
  }
}

/** One `HostConfig.Binds` entry. */
export interface Bind {
  /** A volume's name, or an absolute path on the host. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** What stands behind the second colon, such as `ro` or `rw,z`; else empty. */
  readonly mode: string;
}

/** The binds of a module: `name:/path`, `/host:/path`, each perhaps with `:ro`. */
export function bindsOf(createOptions: Readonly<Record<string, unknown>>): Bind[] {
  const hostConfig = createOptions['HostConfig'];
  const binds = isTwinObject(hostConfig) ? hostConfig['Binds'] : undefined;
  if (binds === undefined || binds === null) return [];
  if (!Array.isArray(binds)) throw deploymentInvalid('HostConfig.Binds is not a list');
  return binds.map((bind: unknown) => {
    const [, source, target, mode] = /^([A-Za-z0-9_.-]+|\/[^:]*):(\/[^:]*)(?::(.*))?$/.exec(String(bind)) ?? [];
    if (source === undefined || target === undefined || source === '.' || source === '..') {
      throw deploymentInvalid(`HostConfig.Binds: "${String(bind)}" is not <volume or /path>:</path>[:ro]`);
    }
    return { source, target, readOnly: (mode ?? '').split(',').includes('ro'), mode: mode ?? '' };
  });
}

/** `Env` of createOptions: a list of `KEY=value`. */
export function envOf(createOptions: Readonly<Record<string, unknown>>): Record<string, string> {
  const list = createOptions['Env'];
  if (!Array.isArray(list)) return {};
  return Object.fromEntries(
    list.map((item: unknown): [string, string] => {
      const text = String(item);
      const at = text.indexOf('=');
      return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
