import { identityName, type Identity } from '../state/identities.ts';
import { twinEtag, type Twin } from '../twin/store.ts';
import type { ClientState } from '../hub/hub-state.ts';

/** .NET's DateTime.MinValue, which IoT Hub gives for "never". */
const NEVER = '0001-01-01T00:00:00Z';

/** A device or module as the registry gives it. */
export function identityDocument(identity: Identity, client: ClientState | undefined): Record<string, unknown> {
  const common = {
    deviceId: identity.deviceId,
    generationId: identity.generationId,
    etag: identity.etag,
    connectionState: client?.status ?? 'Disconnected',
    connectionStateUpdatedTime: client?.lastConnectedTimeUtc ?? NEVER,
    lastActivityTime: client?.lastDisconnectedTimeUtc ?? client?.lastConnectedTimeUtc ?? NEVER,
    cloudToDeviceMessageCount: 0,
    authentication: {
      symmetricKey: { primaryKey: identity.primaryKey, secondaryKey: identity.secondaryKey },
      x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
      type: 'sas',
    },
  };
  return identity.moduleId === ''
    ? {
        ...common,
        status: identity.status,
        statusReason: null,
        statusUpdatedTime: NEVER,
        capabilities: { iotEdge: identity.edgeEnabled },
      }
    : { ...common, moduleId: identity.moduleId, managedBy: identity.managedBy };
}

/** A twin as the service gives it. */
export function twinDocument(identity: Identity, twin: Twin, client: ClientState | undefined): Record<string, unknown> {
  return {
    deviceId: identity.deviceId,
    ...(identity.moduleId === '' ? {} : { moduleId: identity.moduleId }),
    etag: twinEtag(twin),
    deviceEtag: identity.etag,
    status: identity.status,
    statusUpdateTime: NEVER,
    connectionState: client?.status ?? 'Disconnected',
    lastActivityTime: client?.lastConnectedTimeUtc ?? NEVER,
    cloudToDeviceMessageCount: 0,
    authenticationType: 'sas',
    x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
    modelId: '',
    version: twin.revision,
    tags: twin.tags,
    properties: {
      desired: {
        ...twin.desired,
        $metadata: { $lastUpdated: twin.desiredUpdatedUtc, $lastUpdatedVersion: twin.desiredVersion },
        $version: twin.desiredVersion,
      },
      reported: {
        ...twin.reported,
        $metadata: { $lastUpdated: twin.reportedUpdatedUtc },
        $version: twin.reportedVersion,
      },
    },
    ...(identity.moduleId === '' ? { capabilities: { iotEdge: identity.edgeEnabled } } : {}),
  };
}

/** The name a twin is kept under. */
export const nameOf = (identity: Identity): string => identityName(identity.deviceId, identity.moduleId);
