import path from 'node:path';
import { isObject, type JsonObject } from '@vantage/contracts';
import { KeptDocument } from '@vantage/edge-client';

/** A configuration as it was published. */
export interface Published {
  /** Desired `$version` of the twin it came from. */
  readonly version: number;
  readonly components: JsonObject;
}

/** The configuration that was last good, so that it survives restarts and bad edits. */
export type LastGood = KeptDocument<Published>;

export function lastGoodIn(folder: string): LastGood {
  return new KeptDocument(path.join(folder, 'controllermodule.last-good.json'), (saved) =>
    isObject(saved) && typeof saved['version'] === 'number' && isObject(saved['components'])
      ? { version: saved['version'], components: saved['components'] as JsonObject }
      : undefined,
  );
}
