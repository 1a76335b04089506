import { isObject } from '@vantage/contracts';
import type { Hub } from '@vantage/hub';
import type { Environment } from '@vantage/manifest';

/** What edgeAgent calls machines, and what Docker and Go do, in the words of module.json. */
const PLATFORMS: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  amd64: 'amd64',
  x64: 'amd64',
  aarch64: 'arm64v8',
  arm64: 'arm64v8',
  arm64v8: 'arm64v8',
  armv7l: 'arm32v7',
  arm32v7: 'arm32v7',
};

/**
 * The kind of device that a deployment is made for: what the option or DEFAULT_PLATFORM say, else what `$edgeAgent` of
 * the device reports. Undefined where nobody says: a device that never was online has reported nothing.
 *
 * @param platform that of the option
 */
export async function platformFor(
  findHub: () => Promise<Pick<Hub, 'moduleTwin'>>,
  env: Environment,
  platform: string | undefined,
): Promise<string | undefined> {
  const said = platform ?? env['DEFAULT_PLATFORM'];
  if (said !== undefined) return said;
  const agent = await (await findHub()).moduleTwin('$edgeAgent');
  return reportedPlatform(agent.properties.reported);
}

/** @param reported of `$edgeAgent`; undefined where it names no machine that is known */
export function reportedPlatform(reported: unknown): string | undefined {
  const architecture = ['runtime', 'platform', 'architecture'].reduce<unknown>(
    (here, key) => (isObject(here) ? here[key] : undefined),
    reported,
  );
  return typeof architecture === 'string' ? PLATFORMS[architecture.toLowerCase()] : undefined;
}
