import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { isTwinObject } from '@vantage/contracts';
import { identityExists, identityNotFound, invalidArgument } from '../errors.ts';
import type { Logger } from '@vantage/observability';
import { JsonFile, readState } from './files.ts';

/** A device or a module, and its keys. */
export interface Identity {
  readonly deviceId: string;
  /** Empty for a device. */
  readonly moduleId: string;
  readonly primaryKey: string;
  readonly secondaryKey: string;
  readonly generationId: string;
  readonly status: 'enabled' | 'disabled';
  readonly managedBy: string;
  readonly edgeEnabled: boolean;
  readonly etag: string;
}

/** What the runtime itself is called and the key of its service policy. */
export interface HubIdentity {
  readonly deviceId: string;
  readonly hubHostName: string;
  readonly serviceKey: string;
  /** Ports of the last run: used again when none is asked for, so that clients find the hub after a restart. */
  readonly mqttPort: number;
  readonly apiPort: number;
}

interface IdentityFile {
  readonly hub: HubIdentity;
  readonly identities: readonly Identity[];
}

/** `D` or `D/M`: the name by which twins, sessions and logs know a device or module. It is also the MQTT client id. */
export function identityName(deviceId: string, moduleId: string): string {
  return moduleId === '' ? deviceId : `${deviceId}/${moduleId}`;
}

/** IoT Hub's rule for device and module ids. `$edgeAgent` and `$edgeHub` are its own. */
const ID = /^[A-Za-z0-9\-:.+%_#*?!(),=@$']{1,128}$/;

const newKey = (): string => randomBytes(32).toString('base64');
const newEtag = (): string => randomBytes(6).toString('base64');

/** All devices and modules, with their keys, in one file. */
export class IdentityStore {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #file: JsonFile;
  readonly #identities = new Map<string, Identity>();
  #hub: HubIdentity | undefined;

  constructor(stateDir: string, logger: Logger) {
    this.#path = join(stateDir, 'identities.json');
    this.#logger = logger;
    this.#file = new JsonFile(this.#path, () => ({ hub: this.#hub, identities: [...this.#identities.values()] }));
  }

  /** Loads the file or makes the first identities. Names given here win over stored ones. */
  async open(names: { deviceId?: string | undefined; hubHostName?: string | undefined }): Promise<void> {
    const stored = await readState(this.#path, isIdentityFile, this.#logger);
    for (const identity of stored?.identities ?? []) {
      this.#identities.set(identityName(identity.deviceId, identity.moduleId), identity);
    }
    this.#hub = {
      deviceId: names.deviceId ?? stored?.hub.deviceId ?? 'vantage-edge',
      hubHostName: names.hubHostName ?? stored?.hub.hubHostName ?? 'vantage-hub.local',
      serviceKey: stored?.hub.serviceKey ?? newKey(),
      mqttPort: stored?.hub.mqttPort ?? 0,
      apiPort: stored?.hub.apiPort ?? 0,
    };
    const { deviceId } = this.#hub;
    if (!this.#identities.has(deviceId)) this.#add({ deviceId, moduleId: '', edgeEnabled: true });
    for (const moduleId of ['$edgeAgent', '$edgeHub']) {
      if (!this.#identities.has(identityName(deviceId, moduleId))) {
        this.#add({ deviceId, moduleId, managedBy: 'IotEdge' });
      }
    }
    await this.#file.save();
  }

  get hub(): HubIdentity {
    if (this.#hub === undefined) throw invalidArgument('the identity store is not open');
    return this.#hub;
  }

  async rememberPorts(mqttPort: number, apiPort: number): Promise<void> {
    this.#hub = { ...this.hub, mqttPort, apiPort };
    await this.#file.save();
  }

  get(deviceId: string, moduleId = ''): Identity | undefined {
    return this.#identities.get(identityName(deviceId, moduleId));
  }

  /** Like `get`, but throws EDGE_IDENTITY_NOT_FOUND. */
  require(deviceId: string, moduleId = ''): Identity {
    const identity = this.get(deviceId, moduleId);
    if (identity === undefined) throw identityNotFound(identityName(deviceId, moduleId));
    return identity;
  }

  devices(): Identity[] {
    return [...this.#identities.values()].filter((identity) => identity.moduleId === '');
  }

  modules(deviceId: string): Identity[] {
    return [...this.#identities.values()].filter(
      (identity) => identity.deviceId === deviceId && identity.moduleId !== '',
    );
  }

  /** Adds a device or module; keys that are missing or empty are made. */
  async create(wanted: Partial<Identity> & { readonly deviceId: string }): Promise<Identity> {
    const moduleId = wanted.moduleId ?? '';
    const name = identityName(wanted.deviceId, moduleId);
    if (!ID.test(wanted.deviceId) || (moduleId !== '' && !ID.test(moduleId))) {
      throw invalidArgument(`"${name}" is not a valid device or module id`);
    }
    if (this.#identities.has(name)) throw identityExists(name);
    if (moduleId !== '') this.require(wanted.deviceId);
    const identity = this.#add({ ...wanted, moduleId });
    await this.#file.save();
    return identity;
  }

  async update(
    changed: Partial<Identity> & { readonly deviceId: string; readonly moduleId: string },
  ): Promise<Identity> {
    const identity = {
      ...this.require(changed.deviceId, changed.moduleId),
      ...Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== '' && value !== undefined)),
      etag: newEtag(),
    };
    this.#identities.set(identityName(identity.deviceId, identity.moduleId), identity);
    await this.#file.save();
    return identity;
  }

  /** Removes a device with its modules, or one module. Yields the names that are gone. */
  async remove(deviceId: string, moduleId = ''): Promise<string[]> {
    this.require(deviceId, moduleId);
    const gone = [...this.#identities.keys()].filter((name) =>
      moduleId === '' ? name === deviceId || name.startsWith(`${deviceId}/`) : name === `${deviceId}/${moduleId}`,
    );
    for (const name of gone) this.#identities.delete(name);
    await this.#file.save();
    return gone;
  }

  async close(): Promise<void> {
    await this.#file.idle();
  }

  #add(wanted: Partial<Identity> & { readonly deviceId: string; readonly moduleId: string }): Identity {
    const identity: Identity = {
      deviceId: wanted.deviceId,
      moduleId: wanted.moduleId,
      primaryKey: nonEmpty(wanted.primaryKey) ?? newKey(),
      secondaryKey: nonEmpty(wanted.secondaryKey) ?? newKey(),
      generationId: `${Date.now()}${randomBytes(3).readUIntBE(0, 3)}`,
      status: wanted.status ?? 'enabled',
      managedBy: wanted.managedBy ?? '',
      edgeEnabled: wanted.edgeEnabled ?? false,
      etag: newEtag(),
    };
    this.#identities.set(identityName(identity.deviceId, identity.moduleId), identity);
    return identity;
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function isIdentityFile(value: unknown): value is IdentityFile {
  if (!isTwinObject(value) || !isTwinObject(value['hub']) || !Array.isArray(value['identities'])) return false;
  const { hub, identities } = value;
  return (
    typeof hub['deviceId'] === 'string' &&
    typeof hub['hubHostName'] === 'string' &&
    typeof hub['serviceKey'] === 'string' &&
    identities.every(
      (item) =>
        isTwinObject(item) &&
        ['deviceId', 'moduleId', 'primaryKey', 'secondaryKey', 'generationId', 'etag'].every(
          (key) => typeof item[key] === 'string',
        ),
    )
  );
}
