import { isRecord, type Step } from './locate.ts';

/** The part of JSON Schema that a form needs. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema | readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export type Control = 'object' | 'list' | 'text' | 'number' | 'switch' | 'choice' | 'json';

/** Which control a value gets: by its schema, and by what stands there where the schema leaves it open. */
export function controlOf(schema: Schema | undefined, value: unknown): Control {
  const chosen = narrowed(schema, value);
  if (chosen?.enum) return 'choice';
  const type = typeof chosen?.type === 'string' ? chosen.type : typeOf(value);
  switch (type ?? 'none') {
    case 'object':
      return chosen?.properties || isRecord(value) ? 'object' : 'json';
    case 'array':
      // Corners of polygons are numbers in lists in lists: they are drawn, not typed.
      return isTuple(chosen) ? 'json' : 'list';
    case 'string':
      return 'text';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'switch';
    default:
      return 'json';
  }
}

/** Of several schemas the one that the value has the type of, else the first. */
export function narrowed(schema: Schema | undefined, value: unknown): Schema | undefined {
  const options = schema?.anyOf ?? schema?.oneOf;
  if (!options) return schema;
  const fits = options.find(({ type }) => type === typeOf(value) || (type === 'integer' && typeof value === 'number'));
  return fits ?? options[0];
}

/** Fields of an object in the order of its schema; those that only the value has come last. */
export function fieldsOf(schema: Schema | undefined, value: unknown): { key: string; schema: Schema | undefined }[] {
  const known = Object.entries(schema?.properties ?? {});
  const own = isRecord(value) ? Object.keys(value) : [];
  const extra = typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined;
  const more = own.filter((key) => !known.some(([name]) => name === key)).map((key) => ({ key, schema: extra }));
  return [...known.map(([key, one]) => ({ key, schema: one })), ...more];
}

export function itemSchema(schema: Schema | undefined): Schema | undefined {
  return Array.isArray(schema?.items) ? undefined : (schema?.items as Schema | undefined);
}

/** What a field holds when somebody adds it. */
export function blank(schema: Schema | undefined): unknown {
  const chosen = narrowed(schema, undefined);
  if (chosen?.default !== undefined) return chosen.default;
  if (chosen?.enum) return chosen.enum[0];
  if (!chosen) return '';
  switch (chosen.type ?? 'none') {
    case 'object':
      return Object.fromEntries((chosen.required ?? []).map((key) => [key, blank(chosen.properties?.[key])]));
    case 'array':
      return [];
    case 'number':
    case 'integer':
      return chosen.minimum ?? 0;
    case 'boolean':
      return false;
    default:
      return '';
  }
}

/** A name for an item of a list, from what people call it. */
export function nameOf(item: unknown, index: number): string {
  if (isRecord(item)) {
    for (const key of ['name', 'id', 'label', 'displayName']) {
      const value = item[key];
      if (typeof value === 'string' && value !== '') return value;
    }
  }
  return typeof item === 'string' && item !== '' ? item : `#${index + 1}`;
}

export interface Issue {
  readonly severity: 'error' | 'warning';
  readonly path: string;
  readonly message: string;
}

/** Issues that are about this very field, or that lie below it. Paths may leave out where the twin begins. */
export function issuesAt(issues: readonly Issue[], path: string, below = false): Issue[] {
  return issues.filter((issue) => {
    if (issue.path === '') return false;
    if (samePath(issue.path, path)) return true;
    return below && isBelow(issue.path, path);
  });
}

/** Steps for the label of a field: `unsecureZipUrl` reads as it is written, as documents have it. */
export function labelOf(step: Step): string {
  return typeof step === 'number' ? `#${step + 1}` : step;
}

function samePath(a: string, b: string): boolean {
  return a === b || b.endsWith(`.${a}`) || a.endsWith(`.${b}`);
}

function isBelow(deep: string, path: string): boolean {
  return ['', ...prefixes(path)].some((prefix) => {
    const rest = prefix === '' ? path : path.slice(prefix.length + 1);
    return rest !== '' && (deep.startsWith(`${rest}.`) || deep.startsWith(`${rest}[`));
  });
}

function prefixes(path: string): string[] {
  return [...path.matchAll(/\./g)].map(({ index }) => path.slice(0, index));
}

function isTuple(schema: Schema | undefined): boolean {
  const items = schema?.items;
  if (Array.isArray(items)) return true;
  return isRecord(items) && items['type'] === 'array';
}

function typeOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return 'array';
  return typeof value === 'object' ? 'object' : typeof value;
}
