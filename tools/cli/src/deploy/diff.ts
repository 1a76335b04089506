import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@vantage/contracts';
import { isSecretKey, redact } from '@vantage/observability';
import type { ModulesContent } from '@vantage/hub';
import { partsOf, type DeploymentParts } from './content.ts';

/** One value that differs. Secrets are never in it: only that they differ. */
export interface ValueChange {
  /** `settings.image`, `sensors[0].name` */
  readonly path: string;
  /** JSON text; absent where there is none. */
  readonly before?: string;
  readonly after?: string;
}

/** A module, route or twin that differs between two deployments. */
export interface DeploymentChange {
  readonly what: 'module' | 'route' | 'runtime' | 'twin';
  readonly name: string;
  readonly how: 'added' | 'removed' | 'changed';
  readonly values: readonly ValueChange[];
}

export const MARKS = { added: '+', removed: '-', changed: '~' } as const;

const MAX_VALUE = 160;
/** In a line among others. */
const SHORT_VALUE = 24;
const KINDS: readonly (readonly [keyof DeploymentParts, DeploymentChange['what']])[] = [
  ['modules', 'module'],
  ['routes', 'route'],
  ['runtime', 'runtime'],
  ['twins', 'twin'],
];

/** What `after` would change, by name. Empty exactly when both mean the same. */
export function diffDeployments(before: ModulesContent, after: ModulesContent): DeploymentChange[] {
  const old = partsOf(before);
  const wanted = partsOf(after);
  return KINDS.flatMap(([part, what]) => {
    const names = [...new Set([...Object.keys(old[part]), ...Object.keys(wanted[part])])].sort();
    return names.flatMap((name): DeploymentChange[] => {
      const [a, b] = [own(old[part], name), own(wanted[part], name)];
      if (isDeepStrictEqual(a, b)) return [];
      const how = a === undefined ? 'added' : b === undefined ? 'removed' : 'changed';
      // A twin without a module in the new deployment stays as it is on the hub.
      if (what === 'twin' && how === 'removed') return [];
      // An empty twin is none.
      if (what === 'twin' && isObject(b) && Object.keys(a ?? b).length === 0 && Object.keys(b).length === 0) return [];
      return [{ what, name, how, values: diffValues(a, b, '') }];
    });
  });
}

/** The values that differ, each with its path. */
export function diffValues(before: unknown, after: unknown, path = ''): ValueChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => diffValues(own(before, key), own(after, key), path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, at) => diffValues(before[at], after[at], `${path}[${at}]`)).flat();
  }
  return [
    {
      path,
      ...(before === undefined ? {} : { before: shown(before, path) }),
      ...(after === undefined ? {} : { after: shown(after, path) }),
    },
  ];
}

/** A module may be called `constructor`. */
function own<T>(object: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A change in a few words: `settings.image: "a:1" -> "a:2"`. */
export function changeText({ path, before, after }: ValueChange): string {
  const short = (text: string): string => (text.length > SHORT_VALUE ? `${text.slice(0, SHORT_VALUE)}…` : text);
  if (before === undefined) return `${path} is new`;
  return after === undefined ? `${path} is gone` : `${path}: ${short(before)} -> ${short(after)}`;
}

function shown(value: unknown, path: string): string {
  if (isSecretKey(path.split('.').at(-1) ?? '')) return '***';
  const text = redact(JSON.stringify(value, (key, item: unknown) => (isSecretKey(key) ? '***' : item)));
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)} …` : text;
}
