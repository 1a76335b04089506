import { VantageError, type TwinObject } from '@vantage/contracts';
import type { Twin } from './hub.ts';

/** A hub takes no more of desired properties (contract iot-edge-runtime E.1). */
const MAX_TWIN_BYTES = 32 * 1024;

/** Desired properties without what the hub adds. */
export function desiredOf({ properties: { desired } }: Twin): TwinObject {
  return Object.fromEntries(Object.entries(desired).filter(([key]) => !key.startsWith('$')));
}

/** @throws VantageError TWIN_TOO_LARGE */
export function requireTwinSize(module: string, wanted: TwinObject): void {
  const bytes = Buffer.byteLength(JSON.stringify(wanted));
  if (bytes <= MAX_TWIN_BYTES) return;
  const way = 'move what is large (zips, parsers, skills) into files that the twin names by URL';
  throw new VantageError(
    'TWIN_TOO_LARGE',
    `the twin of ${module} would have ${bytes} bytes, and a hub takes ${MAX_TWIN_BYTES}: ${way}`,
  );
}
