import { isTwinObject, type TwinObject } from '@vantage/contracts';
import { reportedInvalid, type TwinIssue } from './errors.ts';

/** Limits of edgeHub's ReportedPropertiesValidator (contract iot-edge-runtime B.5). */
export const TWIN_LIMITS = {
  depth: 10,
  nameBytes: 1024,
  stringBytes: 4096,
  patchBytes: 32_768,
  minInteger: -(2 ** 52),
  maxInteger: 2 ** 52 - 1,
} as const;

/** All places where a patch breaks a limit, except its total size: {@link splitPatch} takes care of that. */
export function twinIssues(patch: TwinObject): TwinIssue[] {
  const issues: TwinIssue[] = [];
  visitObject(patch, '', 0, false, issues);
  return issues;
}

/**
 * The patch in pieces that each fit the size limit; applied in any order they are the patch. Objects are split by
 * key, arrays and strings cannot be.
 *
 * @throws VantageError EDGE_REPORTED_INVALID when one value alone is too large
 */
export function splitPatch(patch: TwinObject, limitBytes: number = TWIN_LIMITS.patchBytes): TwinObject[] {
  if (sizeOf(patch) <= limitBytes) return [patch];
  const pieces: TwinObject[] = [];
  let current: [string, unknown][] = [];
  let currentBytes = 2;
  const flush = (): void => {
    if (current.length > 0) pieces.push(Object.fromEntries(current));
    current = [];
    currentBytes = 2;
  };
  for (const [key, value] of Object.entries(patch)) {
    const own = sizeOf({ [key]: value }) - 1;
    if (own + 1 > limitBytes) {
      if (!isTwinObject(value))
        throw reportedInvalid([{ path: key, message: `has ${own} bytes, a patch may have ${limitBytes}` }]);
      flush();
      for (const piece of splitPatch(value, limitBytes - sizeOf({ [key]: '' }))) pieces.push({ [key]: piece });
      continue;
    }
    if (currentBytes + own > limitBytes) flush();
    current.push([key, value]);
    currentBytes += own;
  }
  flush();
  return pieces;
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function visitObject(object: TwinObject, path: string, depth: number, inArray: boolean, issues: TwinIssue[]): void {
  for (const [name, value] of Object.entries(object)) {
    const at = path === '' ? name : `${path}.${name}`;
    const bytes = Buffer.byteLength(name);
    if (bytes > TWIN_LIMITS.nameBytes)
      issues.push({ path: at.slice(0, 40), message: `the name has ${bytes} bytes, at most ${TWIN_LIMITS.nameBytes}` });
    const bad = forbiddenIn(name);
    if (bad !== undefined) issues.push({ path: at, message: `the name contains ${JSON.stringify(bad)}` });
    if (value === null && inArray) issues.push({ path: at, message: 'null is not allowed inside an array' });
    visitValue(value, at, depth + 1, inArray, issues);
  }
}

function visitValue(value: unknown, path: string, depth: number, inArray: boolean, issues: TwinIssue[]): void {
  if (typeof value === 'string') {
    const bytes = Buffer.byteLength(value);
    if (bytes > TWIN_LIMITS.stringBytes)
      issues.push({ path, message: `the text has ${bytes} bytes, at most ${TWIN_LIMITS.stringBytes}` });
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) issues.push({ path, message: 'is not a finite number' });
    else if (Number.isInteger(value) && (value < TWIN_LIMITS.minInteger || value > TWIN_LIMITS.maxInteger)) {
      issues.push({ path, message: 'the integer is outside -2^52 to 2^52-1' });
    }
  } else if (typeof value === 'object' && value !== null) {
    if (depth > TWIN_LIMITS.depth) issues.push({ path, message: `is nested deeper than ${TWIN_LIMITS.depth}` });
    else if (Array.isArray(value)) visitArray(value, path, depth, issues);
    else visitObject(value as TwinObject, path, depth, inArray, issues);
  }
}

function visitArray(array: readonly unknown[], path: string, depth: number, issues: TwinIssue[]): void {
  array.forEach((value, index) => {
    const at = `${path}[${index}]`;
    if (value === null) issues.push({ path: at, message: 'null is not allowed inside an array' });
    visitValue(value, at, depth + 1, true, issues);
  });
}

function forbiddenIn(name: string): string | undefined {
  for (const char of name) {
    const code = char.codePointAt(0) ?? 0;
    if (code <= 0x20 || (code >= 0x7f && code <= 0x9f) || char === '.' || char === '$' || char === '#') return char;
  }
  return undefined;
}
