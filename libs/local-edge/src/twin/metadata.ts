import { isTwinObject, type TwinObject } from '@vantage/contracts';

/** When a part of a twin was changed last; `version` only for desired properties, as IoT Hub has it. */
export interface ChangeStamp {
  readonly utc: string;
  readonly version?: number;
}

/**
 * The `$metadata` of a twin section after a patch: beside each property that the patch names, and each object on the
 * way to it, when it was changed. What the patch deletes goes from the metadata too.
 */
export function stampMetadata(metadata: TwinObject, patch: TwinObject, stamp: ChangeStamp): TwinObject {
  const stamped = new Map<string, unknown>(Object.entries(metadata));
  stamped.set('$lastUpdated', stamp.utc);
  if (stamp.version !== undefined) stamped.set('$lastUpdatedVersion', stamp.version);
  for (const [key, value] of Object.entries(patch)) {
    const old = stamped.get(key);
    if (value === null) stamped.delete(key);
    else stamped.set(key, stampMetadata(isTwinObject(value) && isTwinObject(old) ? old : {}, leaf(value), stamp));
  }
  return Object.fromEntries(stamped);
}

const leaf = (value: unknown): TwinObject => (isTwinObject(value) ? value : {});

/**
 * One patch that does what two do, one after the other, as far as a merge patch can say it: the values of the second
 * win, and nulls stay.
 */
export function combinePatches(first: TwinObject, second: TwinObject): TwinObject {
  const combined = new Map<string, unknown>(Object.entries(first));
  for (const [key, value] of Object.entries(second)) {
    const old = combined.get(key);
    combined.set(key, isTwinObject(old) && isTwinObject(value) ? combinePatches(old, value) : value);
  }
  return Object.fromEntries(combined);
}
