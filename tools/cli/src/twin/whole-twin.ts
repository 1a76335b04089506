import type { TwinObject } from '@vantage/contracts';
import { readWhole } from '@vantage/hub';
import { blobAccount, type BlobOptions } from './blob-account.ts';

/** Desired properties with the values that lie in blobs. @throws VantageError as `readWhole` */
export async function wholeTwin(stored: TwinObject, options: BlobOptions): Promise<TwinObject> {
  return (await readWhole(stored, blobAccount(options))).desired;
}
