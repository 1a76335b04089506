import { isTwinObject } from '@vantage/contracts';
import type { Bind } from './create-options.ts';

/**
 * The paths in `createOptions` that say something and have no effect, sorted: `HostConfig.Memory`. Empty values say
 * nothing.
 */
export function withoutEffect(
  createOptions: Readonly<Record<string, unknown>>,
  honoured: readonly string[],
  binds: readonly Bind[] = [],
): string[] {
  const paths = Object.entries(createOptions).flatMap(([key, value]) =>
    key === 'HostConfig' && isTwinObject(value)
      ? Object.entries(value).flatMap(([inner, item]) => (saysSomething(item) ? [`HostConfig.${inner}`] : []))
      : saysSomething(value)
        ? [key]
        : [],
  );
  const ignored = paths.filter((path) => !honoured.includes(path) && !isHostNetwork(path, createOptions));
  // A process that runs as the same user can write wherever the runtime can.
  if (binds.some(({ readOnly }) => readOnly)) ignored.push('HostConfig.Binds (read-only)');
  return ignored.sort();
}

/** A process is on the host's network anyway. */
function isHostNetwork(path: string, { HostConfig: hostConfig }: Readonly<Record<string, unknown>>): boolean {
  return path === 'HostConfig.NetworkMode' && isTwinObject(hostConfig) && hostConfig['NetworkMode'] === 'host';
}

function saysSomething(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false || value === 0) return false;
  return typeof value !== 'object' || Object.values(value).some(saysSomething);
}
