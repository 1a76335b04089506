import { messageOf, twinBlobsOf, type TwinBlob, type TwinObject } from '@vantage/contracts';
import { pathText } from '@vantage/manifest';
import type { BlobOptions } from './blob-store.ts';
import { chooseSpilled, withSpilled, type SpilledValue } from './spill.ts';

/** What happens to the large values of a twin so that a hub takes it. */
export interface KeepPlan {
  readonly wanted: TwinObject;
  readonly values: readonly SpilledValue[];
  /** Addresses that can stay as they are, by sha256. */
  readonly known: ReadonlyMap<string, TwinBlob>;
}

/** A value that lies in a blob, for people and programs. */
export interface KeptValue {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * @param stored desired properties as the hub has them
 * @param expired sha256 of values that need a new address
 */
export function planKeeping(wanted: TwinObject, stored: TwinObject, expired: ReadonlySet<string>): KeepPlan {
  const known = twinBlobsOf(stored).filter(({ sha256 }) => !expired.has(sha256));
  return { wanted, values: chooseSpilled(wanted), known: new Map(known.map((blob) => [blob.sha256, blob])) };
}

/** The values of a plan that are not where they should be yet. */
export function newValues({ values, known }: KeepPlan): KeptValue[] {
  return values
    .filter(({ sha256 }) => !known.has(sha256))
    .map(({ path, body, sha256 }) => ({ path: pathText(path), bytes: body.length, sha256 }));
}

/**
 * Twins with their large values in blobs, in the order of the plans. Addresses that are in use already work for another
 * year from now.
 *
 * @throws VantageError BLOB_STORE_UNKNOWN, BLOB_STORE_FAILED, TWIN_TOO_LARGE
 */
export async function keepLarge(plans: readonly KeepPlan[], options: BlobOptions): Promise<TwinObject[]> {
  if (plans.every(({ values }) => values.length === 0)) return plans.map(({ wanted }) => wanted);
  const { BlobStore, requireReadable } = await import('./blob-store.ts');
  const fresh = plans.flatMap(({ values, known }) => values.filter(({ sha256 }) => !known.has(sha256)));
  requireReadable(fresh);
  const made = new Map<string, TwinBlob>();
  if (fresh.length > 0) {
    const store = await BlobStore.open(options);
    for (const blob of await store.store(fresh)) made.set(blob.sha256, blob);
  } else {
    // They work now; that they go on to is no reason to refuse a change.
    await BlobStore.find(options)
      .then((store) => store?.renew())
      .catch((error: unknown) => process.stderr.write(`note: ${messageOf(error)}\n`));
  }
  return plans.map(({ wanted, values, known }) => withSpilled(wanted, values, new Map([...known, ...made])));
}

/** A line for people: `skills (40012 bytes) goes into blob storage`. */
export function keptLine({ path, bytes }: KeptValue, does: 'goes into' | 'is kept in'): string {
  return `${path} (${bytes} bytes) ${does} blob storage`;
}
