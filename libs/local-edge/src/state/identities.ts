import { randomBytes } from 'node:crypto';
import { isTwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { identityExists, identityNotFound, invalidArgument } from '../errors.ts';
import type { StateDatabase } from './database.ts';

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

/** `D` or `D/M`: the name by which twins, sessions and logs know a device or module. It is also the MQTT client id. */
export function identityName(deviceId: string, moduleId: string): string {
  return moduleId === '' ? deviceId : `${deviceId}/${moduleId}`;
}

/** IoT Hub's rule for device and module ids. `$edgeAgent` and `$edgeHub` are its own. */
const ID = /^[A-Za-z0-9\-:.+%_#*?!(),=@$']{1,128}$/;

const newKey = (): string => randomBytes(32).toString('base64');
const newEtag = (): string => randomBytes(6).toString('base64');

/** All devices and modules, with their keys. What a method did is kept in the database when it resolves. */
export class IdentityStore {
  readonly #database: StateDatabase;
  readonly #logger: Logger;
  readonly #identities = new Map<string, Identity>();
  /** By device, so that a query over all modules does not walk all identities for each device. */
  readonly #modules = new Map<string, Map<string, Identity>>();
  #hub: HubIdentity | undefined;

  constructor(database: StateDatabase, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  /** Loads what is stored and makes the first identities. Names given here win over stored ones. */
  async open(names: { deviceId?: string | undefined; hubHostName?: string | undefined }): Promise<void> {
    this.#database.define(`
      CREATE TABLE IF NOT EXISTS hub (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS identities (name TEXT PRIMARY KEY, document TEXT NOT NULL)`);
    for (const row of this.#database.prepare('SELECT name, document FROM identities ORDER BY rowid').iterate()) {
      const identity = parseDocument(row['document']);
      if (isIdentity(identity)) this.#remember(String(row['name']), identity);
      else this.#logger.warn('a stored identity cannot be read; it is passed over', { name: row['name'] });
    }
    const stored = parseDocument(this.#database.prepare('SELECT document FROM hub').get()?.['document']);
    const known = isHubIdentity(stored) ? stored : undefined;
    const { deviceId, hubHostName } = names;
    await this.#keepHub({
      deviceId: deviceId ?? known?.deviceId ?? 'vantage-edge',
      hubHostName: hubHostName ?? known?.hubHostName ?? 'vantage-hub.local',
      serviceKey: known?.serviceKey ?? newKey(),
      mqttPort: known?.mqttPort ?? 0,
      apiPort: known?.apiPort ?? 0,
    });
    const edge = this.hub.deviceId;
    const first = [
      { deviceId: edge, moduleId: '', edgeEnabled: true },
      { deviceId: edge, moduleId: '$edgeAgent', managedBy: 'IotEdge' },
      { deviceId: edge, moduleId: '$edgeHub', managedBy: 'IotEdge' },
    ];
    const missing = first.filter((one) => this.get(one.deviceId, one.moduleId) === undefined);
    await Promise.all(missing.map((one) => this.#keep(newIdentity(one))));
  }

  get hub(): HubIdentity {
    if (this.#hub === undefined) throw invalidArgument('the identity store is not open');
    return this.#hub;
  }

  async rememberPorts(mqttPort: number, apiPort: number): Promise<void> {
    const { hub } = this;
    if (hub.mqttPort !== mqttPort || hub.apiPort !== apiPort) await this.#keepHub({ ...hub, mqttPort, apiPort });
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
    return [...(this.#modules.get(deviceId)?.values() ?? [])];
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
    const identity = newIdentity({ ...wanted, moduleId });
    await this.#keep(identity, true);
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
    await this.#keep(identity);
    return identity;
  }

  /** Removes a device with its modules, or one module. Yields the names that are gone. */
  async remove(deviceId: string, moduleId = ''): Promise<string[]> {
    this.require(deviceId, moduleId);
    const gone =
      moduleId === ''
        ? [deviceId, ...this.modules(deviceId).map((module) => identityName(deviceId, module.moduleId))]
        : [identityName(deviceId, moduleId)];
    await this.#database.write(() => {
      const statement = this.#database.prepare('DELETE FROM identities WHERE name = ?');
      for (const name of gone) statement.run(name);
    });
    for (const name of gone) {
      this.#identities.delete(name);
      this.#modules.get(deviceId)?.delete(name);
    }
    if (moduleId === '') this.#modules.delete(deviceId);
    return gone;
  }

  async #keepHub(hub: HubIdentity): Promise<void> {
    await this.#database.write(() => {
      this.#database.prepare('INSERT OR REPLACE INTO hub (id, document) VALUES (1, ?)').run(JSON.stringify(hub));
    });
    this.#hub = hub;
  }

  /** `isNew`: refuse when somebody else made one of that name meanwhile. */
  async #keep(identity: Identity, isNew = false): Promise<void> {
    const name = identityName(identity.deviceId, identity.moduleId);
    await this.#database.write(() => {
      if (isNew && this.#database.prepare('SELECT 1 FROM identities WHERE name = ?').get(name) !== undefined) {
        throw identityExists(name);
      }
      this.#database
        .prepare('INSERT INTO identities VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET document = excluded.document')
        .run(name, JSON.stringify(identity));
    });
    this.#remember(name, identity);
  }

  #remember(name: string, identity: Identity): void {
    this.#identities.set(name, identity);
    if (identity.moduleId === '') return;
    const modules = this.#modules.get(identity.deviceId) ?? new Map<string, Identity>();
    this.#modules.set(identity.deviceId, modules.set(name, identity));
  }
}

function newIdentity(wanted: Partial<Identity> & { readonly deviceId: string; readonly moduleId: string }): Identity {
  return {
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
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function parseDocument(text: unknown): unknown {
  try {
    return JSON.parse(String(text)) as unknown;
  } catch {
    return undefined;
  }
}

function isHubIdentity(value: unknown): value is HubIdentity {
  return isTwinObject(value) && hasStrings(value, ['deviceId', 'hubHostName', 'serviceKey']);
}

function isIdentity(value: unknown): value is Identity {
  const strings = ['deviceId', 'moduleId', 'primaryKey', 'secondaryKey', 'generationId', 'etag'];
  return isTwinObject(value) && hasStrings(value, strings);
}

function hasStrings(value: Record<string, unknown>, keys: readonly string[]): boolean {
  return keys.every((key) => typeof value[key] === 'string');
}
