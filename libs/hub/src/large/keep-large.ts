import { VantageError, messageOf, pathOf, twinBlobsOf, type TwinBlob, type TwinObject } from '@vantage/contracts';
import { chooseSpilled, withSpilled, type SpilledValue } from './spill.ts';
import { requireReadable, type ValueAccount } from './twin-values.ts';

/** What happens to the large values of a twin so that a hub takes it. */
export interface KeepPlan {
  readonly wanted: TwinObject;
  readonly values: readonly SpilledValue[];
  /** Addresses that can stay as they are, by sha256. */
  readonly known: ReadonlyMap<string, TwinBlob>;
}

/** A value that lies in a blob, for people and programs. */
export interface KeptValue {
  /** `azdaConfiguration.components.skills` */
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
    .map(({ path, body, sha256 }) => ({ path: pathOf('', ...path), bytes: body.length, sha256 }));
}

/**
 * Twins with their large values in blobs, in the order of the plans. Addresses that are in use already work for another
 * year from now.
 *
 * @param note is told what went wrong and is no reason to refuse the twins
 * @throws VantageError BLOB_STORE_UNKNOWN, BLOB_STORE_FAILED, TWIN_TOO_LARGE
 */
export async function keepLarge(
  plans: readonly KeepPlan[],
  account: ValueAccount,
  note: (text: string) => void,
): Promise<TwinObject[]> {
  if (plans.every(({ values }) => values.length === 0)) return plans.map(({ wanted }) => wanted);
  const fresh = plans.flatMap(({ values, known }) => values.filter(({ sha256 }) => !known.has(sha256)));
  requireReadable(fresh);
  const made = new Map<string, TwinBlob>();
  if (fresh.length > 0) {
    const store = await account.find();
    if (!store) throw storeUnknown(account.way);
    for (const blob of await store.store(fresh)) made.set(blob.sha256, blob);
  } else {
    // They work now; that they go on to is no reason to refuse a change.
    await account
      .find()
      .then((store) => store?.renew())
      .catch((error: unknown) => note(messageOf(error)));
  }
  return plans.map(({ wanted, values, known }) => withSpilled(wanted, values, new Map([...known, ...made])));
}

export function storeUnknown(way: string): VantageError {
  return new VantageError(
    'BLOB_STORE_UNKNOWN',
    `the twin would pass the 32 KB that a hub takes. Name a storage account for its large values: ${way}`,
  );
}
