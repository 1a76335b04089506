import { isTwinObject, type TwinObject } from '@vantage/contracts';
import type { StateDatabase } from '../state/database.ts';

/** What a service sets on a device or module and this hub only gives back. */
const KEPT = ['statusReason', 'authentication', 'statusUpdatedTime', 'parentScopes'] as const;

/**
 * The parts of identities that mean nothing to this hub, but that a service reads back: the reason of a status,
 * thumbprints of certificates.
 */
export class IdentityDetails {
  readonly #database: StateDatabase;
  readonly #details = new Map<string, TwinObject>();

  constructor(database: StateDatabase) {
    this.#database = database;
  }

  open(): void {
    this.#database.define(
      'CREATE TABLE IF NOT EXISTS identity_details (name TEXT PRIMARY KEY, document TEXT NOT NULL)',
    );
    for (const row of this.#database.prepare('SELECT * FROM identity_details').iterate()) {
      const document: unknown = JSON.parse(String(row['document']));
      if (isTwinObject(document)) this.#details.set(String(row['name']), document);
    }
  }

  get(name: string): TwinObject {
    return this.#details.get(name) ?? {};
  }

  /** Keeps what is of interest in the body of a request. Keys of symmetric authentication are not: the identity has them. */
  async set(name: string, body: TwinObject): Promise<void> {
    const details = Object.fromEntries(KEPT.filter((key) => body[key] !== undefined).map((key) => [key, body[key]]));
    const { authentication } = details;
    if (isTwinObject(authentication)) {
      const { symmetricKey, ...rest } = authentication;
      details['authentication'] = rest;
      void symmetricKey;
    }
    this.#details.set(name, details);
    const insert = this.#database.prepare('INSERT OR REPLACE INTO identity_details VALUES (?, ?)');
    await this.#database.write(() => insert.run(name, JSON.stringify(details)));
  }

  async remove(deviceId: string, moduleId: string): Promise<void> {
    const gone = [...this.#details.keys()].filter((name) =>
      moduleId === '' ? name === deviceId || name.startsWith(`${deviceId}/`) : name === `${deviceId}/${moduleId}`,
    );
    if (gone.length === 0) return;
    const remove = this.#database.prepare('DELETE FROM identity_details WHERE name = ?');
    for (const name of gone) this.#details.delete(name);
    await this.#database.write(() => {
      for (const name of gone) remove.run(name);
    });
  }
}
