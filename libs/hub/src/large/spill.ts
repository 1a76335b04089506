import { createHash } from 'node:crypto';
import { isTwinBlob, isTwinObject, type TwinBlob, type TwinObject } from '@vantage/contracts';

/** Below what a hub takes (32 KB), so that not every further key moves something. */
export const SPILL_ABOVE_BYTES = 30 * 1024;
/** What is smaller than its address gains nothing. */
const LEAST_BYTES = 1024;
/** Of an object's bytes: a child with so many of them is what makes it large. */
const MOST_OF_IT = 0.6;

/** A value that goes into a blob. */
export interface SpilledValue {
  readonly path: readonly string[];
  readonly sha256: string;
  /** JSON in UTF-8. */
  readonly body: Buffer;
}

/** The values that have to leave a twin so that it fits, the largest first; none where it fits. Pure. */
export function chooseSpilled(twin: TwinObject): SpilledValue[] {
  const spilled: SpilledValue[] = [];
  let rest = twin;
  while (bytesOf(rest) > SPILL_ABOVE_BYTES) {
    const path = largest(rest);
    const value = path.reduce<unknown>((here, key) => (isTwinObject(here) ? here[key] : undefined), rest);
    const body = Buffer.from(JSON.stringify(value) ?? '');
    if (body.length < LEAST_BYTES) return spilled;
    const sha256 = createHash('sha256').update(body).digest('hex');
    spilled.push({ path, sha256, body });
    // As long as any address.
    rest = replaceAt(rest, path, { vantageBlob: '.'.repeat(400), sha256, bytes: body.length });
  }
  return spilled;
}

/** A twin in which blobs stand for the values. */
export function withSpilled(
  twin: TwinObject,
  spilled: readonly SpilledValue[],
  blobs: ReadonlyMap<string, TwinBlob>,
): TwinObject {
  return spilled.reduce((now, { path, sha256 }) => {
    const blob = blobs.get(sha256);
    return blob === undefined ? now : replaceAt(now, path, { ...blob });
  }, twin);
}

/** Where most of the bytes are: down from object to object while one child has the most of them. Arrays stay whole. */
function largest(twin: TwinObject): string[] {
  const path: string[] = [];
  let here = twin;
  for (;;) {
    const [name, value] = heaviest(here);
    if (name === undefined) return path;
    path.push(name);
    if (!isTwinObject(value) || isTwinBlob(value)) return path;
    const [, below] = heaviest(value);
    if (bytesOf(below) < MOST_OF_IT * bytesOf(value)) return path;
    here = value;
  }
}

function heaviest(object: TwinObject): readonly [string | undefined, unknown] {
  let most: readonly [string | undefined, unknown] = [undefined, undefined];
  for (const [key, value] of Object.entries(object)) {
    // What is in a blob already cannot become smaller.
    if (!isTwinBlob(value) && bytesOf(value) > bytesOf(most[1])) most = [key, value];
  }
  return most;
}

function replaceAt(value: unknown, [key, ...rest]: readonly string[], by: TwinObject): TwinObject {
  if (key === undefined) return by;
  const object = isTwinObject(value) ? value : {};
  return { ...object, [key]: replaceAt(object[key], rest, by) };
}

function bytesOf(value: unknown): number {
  return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value));
}
