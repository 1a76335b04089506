import { codeOf, readTwinBlob, twinBlobsOf, withTwinBlobs, type TwinBlob, type TwinObject } from '@vantage/contracts';
import type { ValueAccount } from './twin-values.ts';

export interface WholeTwin {
  readonly desired: TwinObject;
  /** sha256 of the values whose address does not work any more; the storage account has them. */
  readonly expired: ReadonlySet<string>;
}

/**
 * Desired properties with the values that lie in blobs. A value whose address does not work any more is read with the
 * rights of the storage account, where one is named.
 *
 * @param readByAddress for who keeps what was read once
 * @throws VantageError TWIN_BLOB_INVALID, TWIN_BLOB_UNREADABLE
 */
export async function readWhole(
  stored: TwinObject,
  account: ValueAccount,
  readByAddress: (blob: TwinBlob) => Promise<unknown> = readTwinBlob,
): Promise<WholeTwin> {
  const expired = new Set<string>();
  const read = async (blob: TwinBlob): Promise<unknown> => {
    try {
      return await readByAddress(blob);
    } catch (error) {
      if (codeOf(error) !== 'TWIN_BLOB_UNREADABLE') throw error;
      const store = await account.find();
      if (!store) throw error;
      const value = await store.read(blob);
      expired.add(blob.sha256);
      return value;
    }
  };
  const desired = twinBlobsOf(stored).length === 0 ? stored : await withTwinBlobs(stored, read);
  return { desired, expired };
}
