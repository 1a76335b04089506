import { VantageError } from './errors.ts';
import { isTwinObject, type TwinObject } from './twin-merge.ts';

/**
 * A value that is too large for a twin (a hub takes 32 KB of desired properties): the twin names a blob by its content
 * instead. Ours; the key has no `$`, because IoT Hub takes none.
 */
export interface TwinBlob {
  /** http(s), with what is needed to read it, such as a SAS. */
  readonly vantageBlob: string;
  /** Of the blob's bytes: JSON text in UTF-8. Lower case hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A value is no larger than this, and a twin has no more of them. */
export const TWIN_BLOB_LIMITS = { bytes: 4 * 1024 * 1024, blobs: 32 } as const;

const ANSWER_MS = 30_000;

export function isTwinBlob(value: unknown): value is TwinObject & TwinBlob {
  return isTwinObject(value) && typeof value['vantageBlob'] === 'string';
}

/** The blobs that a twin names, in its order. */
export function twinBlobsOf(value: unknown): TwinBlob[] {
  if (isTwinBlob(value)) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(twinBlobsOf);
}

/**
 * A twin with the values of its blobs in their places; blobs in blobs are left as they are.
 *
 * @throws what `read` throws, and VantageError TWIN_BLOB_INVALID where there are too many
 */
export async function withTwinBlobs(
  twin: Readonly<TwinObject>,
  read: (blob: TwinBlob) => Promise<unknown>,
): Promise<TwinObject> {
  const blobs = twinBlobsOf(twin);
  if (blobs.length > TWIN_BLOB_LIMITS.blobs) {
    throw new VantageError(
      'TWIN_BLOB_INVALID',
      `the twin names ${blobs.length} blobs, at most ${TWIN_BLOB_LIMITS.blobs}`,
    );
  }
  const values = new Map<string, unknown>();
  for (const blob of blobs) values.set(blob.sha256, await read(blob));
  return replaced(twin, values) as TwinObject;
}

function replaced(value: unknown, values: ReadonlyMap<string, unknown>): unknown {
  if (isTwinBlob(value)) return values.get(value.sha256);
  if (Array.isArray(value)) return value.map((item) => replaced(item, values));
  if (!isTwinObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, values)]));
}

/**
 * Reads the value of a blob: bounded, and only if it is what the twin says by size and hash.
 *
 * @throws VantageError TWIN_BLOB_INVALID, TWIN_BLOB_UNREADABLE; neither message holds the address's credentials
 */
export async function readTwinBlob({ vantageBlob, sha256, bytes }: TwinBlob): Promise<unknown> {
  const invalid = (why: string): VantageError => new VantageError('TWIN_BLOB_INVALID', `a blob of the twin ${why}`);
  if (!URL.canParse(vantageBlob) || !/^https?:$/.test(new URL(vantageBlob).protocol)) {
    throw invalid('has no http(s) address');
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw invalid('has no sha256');
  if (!(bytes > 0 && bytes <= TWIN_BLOB_LIMITS.bytes)) {
    throw invalid(`has ${String(bytes)} bytes; 1 to ${TWIN_BLOB_LIMITS.bytes} are allowed`);
  }
  const { origin, pathname } = new URL(vantageBlob);
  const name = `${origin}${pathname}`;
  const body = await fetched(vantageBlob, name, bytes);
  if (body.byteLength !== bytes) throw invalid(`${name} has ${body.byteLength} bytes, the twin says ${bytes}`);
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  const hex = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  if (hex !== sha256) throw invalid(`${name} is not what the twin says: its sha256 is ${hex}`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    throw invalid(`${name} is no JSON`);
  }
}

async function fetched(url: string, name: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const unreadable = (why: string): VantageError =>
    new VantageError('TWIN_BLOB_UNREADABLE', `the blob ${name} of the twin cannot be read: ${why}`);
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS), redirect: 'error' });
  } catch (error) {
    const { cause, message } = error as Error;
    throw unreadable(cause instanceof Error ? cause.message : message);
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw unreadable(`status ${response.status}`);
  }
  const body = new Uint8Array(bytes + 1);
  let length = 0;
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      // One byte more than there should be is enough to refuse it.
      const part = chunk.subarray(0, body.length - length);
      body.set(part, length);
      length += part.length;
      if (length === body.length) break;
    }
  } catch (error) {
    throw unreadable((error as Error).message);
  }
  return body.slice(0, length);
}
