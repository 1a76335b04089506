import { isTwinObject } from '@vantage/contracts';
import { alreadyExists, etagMismatch, limitReached, notFound } from '../../errors.ts';
import type { StateDatabase } from '../../state/database.ts';
import type { ConfigurationStatus } from '../documents.ts';
import type { Configuration } from './types.ts';

/** IoT Hub's own limit for the standard tier. */
const MAX_CONFIGURATIONS = 100;

/** What a device or module has of configurations. */
export interface Assignment {
  readonly status: ConfigurationStatus;
  /** Hash of the merged content that was last applied; '' when none was. */
  readonly appliedHash: string;
  /** Since then a service has set the modules of the device itself. */
  readonly individual: boolean;
}

const NOTHING: Assignment = { status: {}, appliedHash: '', individual: false };

/** Configurations, and what every device and module has of them. */
export class ConfigurationStore {
  readonly #database: StateDatabase;
  readonly #configurations = new Map<string, Configuration>();
  readonly #assignments = new Map<string, Assignment>();

  constructor(database: StateDatabase) {
    this.#database = database;
  }

  open(): void {
    this.#database.define(`
      CREATE TABLE IF NOT EXISTS configurations (id TEXT PRIMARY KEY, document TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS configuration_assignments (name TEXT PRIMARY KEY, document TEXT NOT NULL)`);
    for (const row of this.#database.prepare('SELECT * FROM configurations ORDER BY id').iterate()) {
      this.#configurations.set(String(row['id']), JSON.parse(String(row['document'])) as Configuration);
    }
    for (const row of this.#database.prepare('SELECT * FROM configuration_assignments').iterate()) {
      const document: unknown = JSON.parse(String(row['document']));
      if (isTwinObject(document)) this.#assignments.set(String(row['name']), { ...NOTHING, ...document });
    }
  }

  /** In the order of their ids. */
  all(): Configuration[] {
    return [...this.#configurations.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** @throws VantageError EDGE_NOT_FOUND */
  require(id: string): Configuration {
    const configuration = this.#configurations.get(id);
    if (configuration === undefined) throw notFound(`configuration "${id}"`);
    return configuration;
  }

  /** Larger than that of any configuration there is. */
  nextSequence(): number {
    return 1 + Math.max(0, ...this.all().map(({ sequence }) => sequence));
  }

  /**
   * The configuration that a PUT is to change; undefined when it makes a new one.
   * @throws VantageError EDGE_EXISTS, EDGE_NOT_FOUND, EDGE_ETAG_MISMATCH, EDGE_LIMIT_REACHED
   */
  toReplace(id: string, ifMatch: string | undefined): Configuration | undefined {
    const before = this.#configurations.get(id);
    if (ifMatch === undefined) {
      if (before !== undefined) throw alreadyExists(`configuration "${id}"`);
      if (this.#configurations.size >= MAX_CONFIGURATIONS) throw limitReached('configurations', MAX_CONFIGURATIONS);
      return undefined;
    }
    if (before === undefined) throw notFound(`configuration "${id}"`);
    if (ifMatch !== '*' && ifMatch !== before.etag) throw etagMismatch(id);
    return before;
  }

  async put(configuration: Configuration): Promise<void> {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO configurations VALUES (?, ?)');
    await this.#database.write(() => insert.run(configuration.id, JSON.stringify(configuration)));
    this.#configurations.set(configuration.id, configuration);
  }

  /** @throws VantageError EDGE_NOT_FOUND, EDGE_ETAG_MISMATCH */
  async remove(id: string, ifMatch: string | undefined): Promise<void> {
    const { etag } = this.require(id);
    if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== etag) throw etagMismatch(id);
    const remove = this.#database.prepare('DELETE FROM configurations WHERE id = ?');
    await this.#database.write(() => remove.run(id));
    this.#configurations.delete(id);
  }

  assignment(name: string): Assignment {
    return this.#assignments.get(name) ?? NOTHING;
  }

  async assign(name: string, assignment: Assignment): Promise<void> {
    const text = JSON.stringify(assignment);
    if (text === JSON.stringify(this.assignment(name))) return;
    const insert = this.#database.prepare('INSERT OR REPLACE INTO configuration_assignments VALUES (?, ?)');
    await this.#database.write(() => insert.run(name, text));
    this.#assignments.set(name, assignment);
  }

  /** The device or module is gone. */
  async forget(deviceId: string, moduleId: string): Promise<void> {
    const gone = [...this.#assignments.keys()].filter((name) =>
      moduleId === '' ? name === deviceId || name.startsWith(`${deviceId}/`) : name === `${deviceId}/${moduleId}`,
    );
    if (gone.length === 0) return;
    const remove = this.#database.prepare('DELETE FROM configuration_assignments WHERE name = ?');
    for (const name of gone) this.#assignments.delete(name);
    await this.#database.write(() => {
      for (const name of gone) remove.run(name);
    });
  }
}
