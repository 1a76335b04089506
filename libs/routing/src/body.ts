/** What a missing key reads as: null in every respect, except that `is_null` tells them apart (an edgeHub quirk). */
export const MISSING: unique symbol = Symbol('missing');

/** A property that is present but null, once it meets body values: a string without value, less than every other. */
export const NULL_TEXT: unique symbol = Symbol('null text');

/** A value of the body, or one converted to it to be compared with it. */
export type BodyValue = string | number | boolean | null | undefined | typeof MISSING | typeof NULL_TEXT;

/** `*` in a path: every value of an object. */
const ANY: unique symbol = Symbol('any');

/** Keys and array indices from the root of the body. */
export type BodyPath = readonly (string | number | typeof ANY)[];

const SEGMENT = /^([^()<>@,;:\\"/[\]?={}.\t\n\r]+)((?:\[[0-9]+\])*)$/;
const ALL_DIGITS = /^[0-9]+$/;

/**
 * Parses what follows `$body.`: `a.b[0].c` (JsonPath.g4). A name of digits only is a number to that grammar and so no
 * name. Two names mean something to Json.NET, which follows the path: a first `$` is the root, and `*` every value.
 * @returns undefined when the text is no path.
 */
export function parseBodyPath(text: string): BodyPath | undefined {
  const path: BodyPath[number][] = [];
  for (const [at, segment] of text.split('.').entries()) {
    const match = SEGMENT.exec(segment);
    const name = match?.[1];
    if (match === null || name === undefined || ALL_DIGITS.test(name)) return undefined;
    if (name === '*') path.push(ANY);
    else if (at > 0 || name !== '$') path.push(name);
    for (const [, digits] of (match[2] ?? '').matchAll(/\[([0-9]+)\]/g)) path.push(Number(digits));
  }
  return path;
}

/** Follows a path. A missing step gives {@link MISSING}; an object, an array, a date or several values give undefined. */
export function readBodyPath(root: unknown, path: BodyPath): BodyValue {
  const found: unknown[] = [];
  collect(root, path, 0, found);
  if (found.length === 0) return MISSING;
  const value = found.length === 1 ? found[0] : undefined;
  if (typeof value === 'string') return looksLikeDate(value) ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined;
}

function collect(value: unknown, path: BodyPath, at: number, found: unknown[]): void {
  const step = path[at];
  if (step === undefined) {
    found.push(value);
  } else if (typeof step === 'number') {
    if (Array.isArray(value) && step < value.length) collect(value[step], path, at + 1, found);
  } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    if (step === ANY) for (const child of Object.values(value)) collect(child, path, at + 1, found);
    else if (Object.hasOwn(value, step)) collect((value as Record<string, unknown>)[step], path, at + 1, found);
  }
}

/** Json.NET's DateTimeParser: at most seven digits of a second, and lenient about zones. */
const ISO_DATE =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{7}|\d{1,6}(?!\d)))?(?:[Zz]|(?:[+-]\d\d)?(?::(?:\d\d)?|\d\d)?)$/;

/** Json.NET reads such strings as dates while parsing, and edgeHub knows no date type. */
function looksLikeDate(text: string): boolean {
  if (text.startsWith('/Date(')) return /^\/Date\(-?\d+(?:[+-]\d+)?\)\/$/.test(text);
  if (text.length < 19 || text.length > 40 || text[10] !== 'T') return false;
  const match = ISO_DATE.exec(text);
  if (match === null) return false;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(part) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const daysInMonth = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysInMonth || minute > 59 || second > 59) return false;
  return hour < 24 || (hour === 24 && minute === 0 && second === 0 && part(7) === 0);
}

const RANK_BOOL = 1;
const RANK_NUMBER = 2;
const RANK_STRING = 3;
const RANK_NULL = 4;

function rank(value: Exclude<BodyValue, undefined>): number {
  if (typeof value === 'boolean') return RANK_BOOL;
  if (typeof value === 'number') return RANK_NUMBER;
  if (typeof value === 'string' || value === NULL_TEXT) return RANK_STRING;
  return RANK_NULL;
}

/** Orders two defined values: by type (bool, number, string, null), then by value. Negative, zero or positive. */
export function compareBodyValues(a: Exclude<BodyValue, undefined>, b: Exclude<BodyValue, undefined>): number {
  const byType = rank(a) - rank(b);
  if (byType !== 0) return byType;
  if (typeof a === 'number' && typeof b === 'number') return compareNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a === b || rank(a) === RANK_NULL) return 0;
  return a === NULL_TEXT ? -1 : 1;
}

/** As .NET's double.CompareTo: NaN equals itself and is less than every number. */
function compareNumbers(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
}
