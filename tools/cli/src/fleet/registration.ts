import { randomBytes } from 'node:crypto';
import type { ControlClient } from '../control/client.ts';
import type { DeviceIdentity } from './device.ts';

/** What IoT Hub takes in one request. */
const BULK = 100;

export interface Registration {
  readonly count: number;
  readonly prefix: string;
  readonly isEdge: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** Makes the devices through the service API's bulk call, or gives those of an earlier run new keys. */
export async function registerFleet(hub: ControlClient, wanted: Registration): Promise<DeviceIdentity[]> {
  const digits = String(wanted.count).length;
  const identities = Array.from({ length: wanted.count }, (_, index) => ({
    deviceId: `${wanted.prefix}${String(index + 1).padStart(digits, '0')}`,
    key: randomBytes(32).toString('base64'),
  }));
  await inBulk(hub, identities, ({ deviceId, key }) => ({
    id: deviceId,
    importMode: 'createOrUpdate',
    status: 'enabled',
    authentication: { type: 'sas', symmetricKey: { primaryKey: key, secondaryKey: key } },
    capabilities: { iotEdge: wanted.isEdge },
    tags: { simulated: true, ...wanted.tags },
  }));
  return identities;
}

export async function removeFleet(hub: ControlClient, fleet: readonly DeviceIdentity[]): Promise<void> {
  await inBulk(hub, fleet, ({ deviceId }) => ({ id: deviceId, importMode: 'delete' }));
}

/** Merges a patch into the desired properties of every device, or of its `$edgeAgent`. */
export async function patchFleet(
  hub: ControlClient,
  fleet: readonly DeviceIdentity[],
  desired: object,
  moduleId?: string,
): Promise<void> {
  await inBulk(hub, fleet, ({ deviceId }) => ({
    id: deviceId,
    ...(moduleId === undefined ? {} : { moduleId }),
    importMode: 'updateTwin',
    properties: { desired },
  }));
}

async function inBulk(
  hub: ControlClient,
  fleet: readonly DeviceIdentity[],
  describe: (identity: DeviceIdentity) => object,
): Promise<void> {
  for (let at = 0; at < fleet.length; at += BULK) {
    await hub.service('POST', '/devices?api-version=2021-04-12', fleet.slice(at, at + BULK).map(describe));
  }
}
