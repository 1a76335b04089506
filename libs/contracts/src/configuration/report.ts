import type { z } from 'zod';
import { isObject } from '../json.ts';
import { closest, quote } from './wording.ts';
import type { ConfigIssue } from './types.ts';

/** Enough to mend a twin by; beyond it issues are only counted. */
const MAX_ISSUES = 200;
const MAX_MESSAGE_CHARS = 400;

type Key = string | number;

/** `components.sensors[0].name` from its parts. */
export function pathOf(base: string, ...keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === 'number') return `${path}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_$][\w$-]*$/.test(name)) return `${path}[${quote(name)}]`;
    return path === '' ? name : `${path}.${name}`;
  }, base);
}

/** Collects the issues of one validation, in the order of the document. */
export class Report {
  readonly #errors: ConfigIssue[] = [];
  readonly #warnings: ConfigIssue[] = [];
  #errorCount = 0;

  /** Errors so far, also those beyond the limit. */
  get errorCount(): number {
    return this.#errorCount;
  }

  get errors(): readonly ConfigIssue[] {
    const beyond = this.#errorCount - this.#errors.length;
    if (beyond === 0) return this.#errors;
    return [...this.#errors, { path: '', message: `${beyond} more errors are not listed.`, severity: 'error' }];
  }

  get warnings(): readonly ConfigIssue[] {
    return this.#warnings;
  }

  error(path: string, message: string): void {
    this.#errorCount += 1;
    if (this.#errors.length < MAX_ISSUES) this.#errors.push({ path, message: shorten(message), severity: 'error' });
  }

  warn(path: string, message: string): void {
    if (this.#warnings.length < MAX_ISSUES)
      this.#warnings.push({ path, message: shorten(message), severity: 'warning' });
  }

  /** Parses one item; what does not fit is reported below `path` and the answer is undefined. */
  parse<Schema extends z.ZodType>(
    schema: Schema,
    value: unknown,
    path: string,
    remedy: string,
  ): z.output<Schema> | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      this.error(pathOf(path, ...issue.path), `${describe(issue, at(value, issue.path))} ${remedy}`);
    }
    return undefined;
  }

  /** Keys that nobody reads are most often misspelt. */
  unknownKeys(value: Readonly<Record<string, unknown>>, known: readonly string[], path: string): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key) || /^(\$|_|\/\/)/.test(key)) continue;
      const similar = closest(key, known);
      const hint = similar === undefined ? `Known keys: ${known.join(', ')}.` : `Did you mean ${quote(similar)}?`;
      this.warn(pathOf(path, key), `unknown key ${quote(key)} is ignored. ${hint}`);
    }
  }

  /** The items of an array, without those beyond `max`; undefined and a report when it is something else. */
  items(value: unknown, path: string, max: number): readonly unknown[] | undefined {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) {
      this.error(path, `expected a list, found ${typeName(value)}. Write it in square brackets.`);
      return undefined;
    }
    if (value.length > max) {
      this.error(
        path,
        `${value.length} items; only the first ${max} are used. Split the configuration over several devices.`,
      );
    }
    return (value as readonly unknown[]).slice(0, max);
  }
}

/** The object without keys that are null: a twin patch deletes with null, so in a file null means absent. */
export function withoutNulls(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
}

export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number' && !Number.isFinite(value)) return 'a number that is too large for JSON';
  const names: Readonly<Record<string, string>> = {
    object: 'an object',
    string: 'text',
    number: 'a number',
    boolean: 'true or false',
  };
  return names[typeof value] ?? typeof value;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  tuple: 'a list [x, y]',
  record: 'an object',
};

/** What limits are counted in. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ['number', ''],
  ['int', ''],
  ['string', ' characters long'],
]);

/** The issue in plain words. Zod's own messages name types and limits only, never the value, so they may be shown. */
function describe(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'invalid_type') {
    const expected = EXPECTED[issue.expected] ?? issue.expected;
    if (value === undefined) return `is missing; expected ${expected}.`;
    const isFraction = issue.expected === 'int' && Number.isFinite(value);
    return `expected ${expected}, found ${isFraction ? 'a fraction' : typeName(value)}.`;
  }
  const unit = UNITS.get('origin' in issue ? issue.origin : '');
  if (issue.code === 'too_big' && unit !== undefined) return `must be at most ${issue.maximum}${unit}.`;
  if (issue.code === 'too_small' && unit !== undefined) return `must be at least ${issue.minimum}${unit}.`;
  return `${issue.message}.`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((item, key) => {
    if (Array.isArray(item)) return item[key as Key as number] as unknown;
    return isObject(item) ? item[String(key)] : undefined;
  }, value);
}

function shorten(message: string): string {
  return message.length <= MAX_MESSAGE_CHARS ? message : `${message.slice(0, MAX_MESSAGE_CHARS - 1)}…`;
}
