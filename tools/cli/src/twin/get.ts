import { VantageError } from '@vantage/contracts';
import { pathKeys } from '@vantage/manifest';
import { desiredOf, findHub } from '@vantage/hub';
import type { HubOptions } from '../hub/options.ts';
import { valueAt } from './set.ts';

/** Prints a twin as JSON: all of it, one side, or the part at a path. @throws VantageError TWIN_PATH_UNKNOWN */
export async function getTwin(
  module: string,
  path: string | undefined,
  options: HubOptions & { readonly desired?: boolean; readonly reported?: boolean },
): Promise<void> {
  const twin = await (await findHub(options)).moduleTwin(module);
  const side = options.reported ? twin.properties.reported : options.desired || path ? desiredOf(twin) : twin;
  const value = path === undefined ? side : valueAt(side, pathKeys(path));
  if (value === undefined)
    throw new VantageError('TWIN_PATH_UNKNOWN', `the twin of ${module} has nothing at ${path ?? ''}`);
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
