import { readTwinBlob, twinBlobsOf, withTwinBlobs, type TwinObject } from '@vantage/contracts';

/** Desired properties with the values that lie in blobs. @throws VantageError TWIN_BLOB_INVALID, TWIN_BLOB_UNREADABLE */
export async function wholeTwin(stored: TwinObject): Promise<TwinObject> {
  return twinBlobsOf(stored).length === 0 ? stored : withTwinBlobs(stored, readTwinBlob);
}
