/** What a missing key reads as: null in every respect, except that `is_null` tells them apart (an edgeHub quirk). */
export const MISSING: unique symbol = Symbol('missing');

/** A property that is present but null, once it meets body values: a string without value, less than every other. */
export const NULL_TEXT: unique symbol = Symbol('null text');

/** A value of the body, or one converted to it to be compared with it. */
export type BodyValue = string | number | boolean | null | undefined | typeof MISSING | typeof NULL_TEXT;

/** Keys and array indices from the root of the body. */
export type BodyPath = readonly (string | number)[];

const SEGMENT = /^([^()<>@,;:\\"/[\]?={}.\t\n\r]+)((?:\[[0-9]+\])*)$/;
const ALL_DIGITS = /^[0-9]+$/;

/**
 * Parses what follows `$body.`: `a.b[0].c` (JsonPath.g4). A name of digits only is a number to that grammar and so no
 * name.
 * @returns undefined when the text is no path.
 */
export function parseBodyPath(text: string): BodyPath | undefined {
  const path: (string | number)[] = [];
  for (const segment of text.split('.')) {
    const match = SEGMENT.exec(segment);
    const name = match?.[1];
    if (match === null || name === undefined || ALL_DIGITS.test(name)) return undefined;
    path.push(name);
    for (const [, digits] of (match[2] ?? '').matchAll(/\[([0-9]+)\]/g)) path.push(Number(digits));
  }
  return path;
}

/** Follows a path. A missing step gives {@link MISSING}; an object, an array or a date gives undefined. */
export function readBodyPath(root: unknown, path: BodyPath): BodyValue {
  let value = root;
  for (const step of path) {
    if (typeof step === 'number') {
      if (!Array.isArray(value) || step >= value.length) return MISSING;
      value = (value as readonly unknown[])[step];
    } else {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step)) {
        return MISSING;
      }
      value = (value as Readonly<Record<string, unknown>>)[step];
    }
  }
  if (typeof value === 'string') return looksLikeDate(value) ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined;
}

const ISO_DATE = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?$/;

/** Json.NET reads such strings as dates while parsing, and edgeHub knows no date type. */
function looksLikeDate(text: string): boolean {
  if (text.startsWith('/Date(')) return /^\/Date\(-?\d+(?:[+-]\d+)?\)\/$/.test(text);
  if (text.length < 19 || text.length > 40 || text[10] !== 'T') return false;
  const match = ISO_DATE.exec(text);
  if (match === null) return false;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return (
    year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth && hour <= 24 && minute < 60 && second < 60
  );
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
