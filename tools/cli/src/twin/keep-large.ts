import type { TwinObject } from '@vantage/contracts';
import { keepLarge, type KeepPlan, type KeptValue } from '@vantage/hub';
import { blobAccount, type BlobOptions } from './blob-account.ts';

/** Twins as a hub takes them; what is no reason to refuse them is told on stderr. @throws VantageError as `keepLarge` */
export function keepLargeValues(plans: readonly KeepPlan[], options: BlobOptions): Promise<TwinObject[]> {
  return keepLarge(plans, blobAccount(options), (text) => void process.stderr.write(`note: ${text}\n`));
}

/** A line for people: `skills (40012 bytes) goes into blob storage`. */
export function keptLine({ path, bytes }: KeptValue, does: 'goes into' | 'is kept in'): string {
  return `${path} (${bytes} bytes) ${does} blob storage`;
}
