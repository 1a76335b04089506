import { VantageError } from '@vantage/contracts';
import { pathKeys } from '@vantage/manifest';
import { desiredOf, findHub } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import { valueAt } from './set.ts';
import { wholeTwin } from './whole-twin.ts';

/** Prints a twin as JSON: all of it, one side, or the part at a path. @throws VantageError TWIN_PATH_UNKNOWN */
export async function getTwin(
  module: string,
  path: string | undefined,
  options: HubOptions & { readonly desired?: boolean; readonly reported?: boolean; readonly raw?: boolean },
): Promise<void> {
  const twin = await (await findHub(options)).moduleTwin(module);
  const stored = desiredOf(twin);
  const desired = options.raw || options.reported ? stored : await wholeTwin(stored, options);
  // What the hub adds to desired properties stays only where all of the twin is asked for as it is.
  const whole = desired === stored ? twin : { ...twin, properties: { ...twin.properties, desired } };
  const side = options.reported ? twin.properties.reported : options.desired || path ? desired : whole;
  const value = path === undefined ? side : valueAt(side, pathKeys(path));
  if (value === undefined)
    throw new VantageError('TWIN_PATH_UNKNOWN', `the twin of ${module} has nothing at ${path ?? ''}`);
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
