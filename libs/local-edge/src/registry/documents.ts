import { isTwinObject } from '@vantage/contracts';
import type { ClientState } from '../hub/hub-state.ts';
import { identityName, type Identity, type IdentityStore } from '../state/identities.ts';
import { twinEtag, type TwinStore } from '../twin/store.ts';
import type { IdentityDetails } from './identity-details.ts';
import type { Row } from './query/run.ts';

/** .NET's DateTime.MinValue, which IoT Hub gives for "never". */
const NEVER = '0001-01-01T00:00:00Z';

/** Whether a configuration is meant for a device or module, and whether it is what it has. */
export type ConfigurationStatus = Readonly<Record<string, { readonly status: 'Targeted' | 'Applied' }>>;

export interface DocumentSources {
  readonly identities: IdentityStore;
  readonly twins: TwinStore;
  readonly details: IdentityDetails;
  clientState(name: string): ClientState | undefined;
  configurationsOf(name: string): ConfigurationStatus;
}

/** Devices, modules and twins in the form in which IoT Hub gives them to services. */
export class HubDocuments {
  readonly #sources: DocumentSources;

  constructor(sources: DocumentSources) {
    this.#sources = sources;
  }

  /** A device or module as the registry gives it, with its keys. */
  identity(identity: Identity): Record<string, unknown> {
    const name = nameOf(identity);
    const client = this.#sources.clientState(name);
    const details = this.#sources.details.get(name);
    const common = {
      deviceId: identity.deviceId,
      generationId: identity.generationId,
      etag: identity.etag,
      connectionState: client?.status ?? 'Disconnected',
      connectionStateUpdatedTime: client?.lastConnectedTimeUtc ?? NEVER,
      lastActivityTime: client?.lastDisconnectedTimeUtc ?? client?.lastConnectedTimeUtc ?? NEVER,
      cloudToDeviceMessageCount: 0,
      authentication: authenticationOf(identity, details['authentication']),
    };
    if (identity.moduleId !== '') return { ...common, moduleId: identity.moduleId, managedBy: identity.managedBy };
    return {
      ...common,
      status: identity.status,
      statusReason: details['statusReason'] ?? null,
      statusUpdatedTime: details['statusUpdatedTime'] ?? NEVER,
      capabilities: { iotEdge: identity.edgeEnabled },
      ...(identity.edgeEnabled
        ? { deviceScope: `ms-azure-iot-edge://${identity.deviceId}-${identity.generationId}` }
        : {}),
      parentScopes: details['parentScopes'] ?? [],
    };
  }

  /** A twin as the service gives it. */
  twin(identity: Identity): Record<string, unknown> {
    const name = nameOf(identity);
    const client = this.#sources.clientState(name);
    const twin = this.#sources.twins.get(name);
    const details = this.#sources.details.get(name);
    const configurations = this.#sources.configurationsOf(name);
    const authentication = isTwinObject(details['authentication']) ? details['authentication'] : {};
    return {
      deviceId: identity.deviceId,
      ...(identity.moduleId === '' ? {} : { moduleId: identity.moduleId }),
      etag: twinEtag(twin),
      deviceEtag: identity.etag,
      status: identity.status,
      statusUpdateTime: details['statusUpdatedTime'] ?? NEVER,
      connectionState: client?.status ?? 'Disconnected',
      lastActivityTime: client?.lastConnectedTimeUtc ?? NEVER,
      cloudToDeviceMessageCount: 0,
      authenticationType: authentication['type'] ?? 'sas',
      x509Thumbprint: authentication['x509Thumbprint'] ?? NO_THUMBPRINT,
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
      ...(Object.keys(configurations).length === 0 ? {} : { configurations }),
      ...(identity.moduleId === '' ? { capabilities: { iotEdge: identity.edgeEnabled } } : {}),
    };
  }

  /** All twins of devices, or of modules, for a query; in the order of their names. */
  twins(of: 'devices' | 'devices.modules'): Row[] {
    const { identities } = this.#sources;
    const devices = identities.devices();
    const found = of === 'devices' ? devices : devices.flatMap((device) => identities.modules(device.deviceId));
    return found
      .map((identity) => ({ key: nameOf(identity), document: once(() => this.twin(identity)) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }
}

/** The name a twin is kept under. */
export const nameOf = (identity: Identity): string => identityName(identity.deviceId, identity.moduleId);

const NO_THUMBPRINT = { primaryThumbprint: null, secondaryThumbprint: null };

function authenticationOf(identity: Identity, details: unknown): object {
  const { type = 'sas', x509Thumbprint = NO_THUMBPRINT } = isTwinObject(details) ? details : {};
  // A device with a certificate has keys here too, but they are not for anybody to use.
  const { primaryKey, secondaryKey } = type === 'sas' ? identity : { primaryKey: null, secondaryKey: null };
  return { symmetricKey: { primaryKey, secondaryKey }, x509Thumbprint, type };
}

/** Several metrics over the same rows build each document once. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
