import { diffTwin, isTwinObject, messageOf, type TwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { StateDatabase } from '../state/database.ts';
import { combinePatches } from '../twin/metadata.ts';
import type { TwinChange, TwinStore } from '../twin/store.ts';
import type { Connection, Connections } from './connections.ts';
import type { SessionStore } from './sessions.ts';
import { DESIRED_FILTER } from './topics.ts';

/** What is held back beyond this is sent as the plain difference. */
const MAX_PATCH_BYTES = 64 * 1024;

interface HeldChanges {
  /** The desired properties as the client knows them. */
  readonly base: TwinObject;
  /** All patches since then in one. */
  readonly patch: TwinObject;
}

export interface DesiredUpdatesOptions {
  readonly database: StateDatabase;
  readonly twins: TwinStore;
  readonly sessions: SessionStore;
  readonly connections: Connections;
  readonly logger: Logger;
}

/**
 * Brings changes of desired properties to the clients that subscribed to them (contract iot-edge-runtime B.5).
 *
 * Until its client has acknowledged it, a change is held in the database, in the transaction of the change itself.
 * What a client missed, since it was away or its connection broke, it gets as one patch with the newest version when
 * it is ready on a new connection. A client that reads its twin knows everything; nothing is held for it then.
 */
export class DesiredUpdates {
  readonly #options: DesiredUpdatesOptions;
  /** For whom something is held, up to which version. */
  readonly #held = new Map<string, number>();
  /** The last packet that is on its way to a client. */
  readonly #onWay = new Map<string, { readonly token: number; readonly version: number }>();

  constructor(options: DesiredUpdatesOptions) {
    this.#options = options;
  }

  open(): void {
    const { database, twins } = this.#options;
    database.define(
      'CREATE TABLE IF NOT EXISTS desired_updates (name TEXT PRIMARY KEY, base TEXT, patch TEXT, version INTEGER)',
    );
    for (const { name, version } of database.prepare('SELECT name, version FROM desired_updates').iterate()) {
      this.#held.set(String(name), Number(version));
    }
    twins.withDesiredChanges((change, before) => {
      this.#hold(change, before);
    });
  }

  /** A change is kept: sends it to its client, if that can take it. */
  changed({ name, patch, version }: TwinChange): void {
    const { sessions, connections } = this.#options;
    const connection = connections.get(name);
    if (!sessions.has(name, DESIRED_FILTER)) {
      // One that never subscribed may be an SDK that forgot to (contract iot-edge-runtime 0.2).
      if (connection !== undefined) connections.send(name, topicOf(version), bodyOf(patch, version), 0);
      return;
    }
    this.#held.set(name, version);
    if (connection?.ready.has('desired') === true) this.#send(name, patch, version);
  }

  /** A client listens to changes on its connection: it gets what it missed. */
  ready({ name }: Connection): void {
    if (!this.#held.has(name)) return;
    const held = this.#read(name);
    const { desired, desiredVersion } = this.#options.twins.get(name);
    // Patches one after the other may say what their union cannot (a deleted object made again): the difference can.
    const patch = combinePatches(held?.patch ?? {}, diffTwin(held?.base ?? desired, desired));
    this.#send(name, patch, desiredVersion);
  }

  /** A client got its whole twin at a version. */
  read(name: string, version: number): void {
    this.#settle(name, version);
  }

  acknowledged(name: string, token: number): void {
    const onWay = this.#onWay.get(name);
    if (onWay?.token !== token) return;
    this.#onWay.delete(name);
    this.#settle(name, onWay.version);
  }

  disconnected(name: string): void {
    this.#onWay.delete(name);
  }

  /** The device or module is gone. */
  forget(name: string): void {
    this.#onWay.delete(name);
    this.#settle(name, Number.MAX_SAFE_INTEGER);
  }

  #send(name: string, patch: TwinObject, version: number): void {
    const token = this.#options.connections.send(name, topicOf(version), bodyOf(patch, version), 1);
    if (token !== undefined) this.#onWay.set(name, { token, version });
  }

  /** Inside the transaction of the change. */
  #hold({ name, patch, version }: TwinChange, before: TwinObject): void {
    const { sessions, database } = this.#options;
    if (!sessions.has(name, DESIRED_FILTER)) return;
    const held = this.#read(name);
    let combined = JSON.stringify(combinePatches(held?.patch ?? {}, patch));
    if (Buffer.byteLength(combined) > MAX_PATCH_BYTES) combined = '{}';
    database
      .prepare('INSERT OR REPLACE INTO desired_updates (name, base, patch, version) VALUES (?, ?, ?, ?)')
      .run(name, JSON.stringify(held?.base ?? before), combined, version);
  }

  #read(name: string): HeldChanges | undefined {
    const row = this.#options.database.prepare('SELECT base, patch FROM desired_updates WHERE name = ?').get(name);
    if (row === undefined) return undefined;
    const base: unknown = JSON.parse(String(row['base']));
    const patch: unknown = JSON.parse(String(row['patch']));
    return isTwinObject(base) && isTwinObject(patch) ? { base, patch } : undefined;
  }

  #settle(name: string, version: number): void {
    const held = this.#held.get(name);
    if (held === undefined || held > version) return;
    this.#held.delete(name);
    const { database, logger } = this.#options;
    database
      .write(() => {
        database.prepare('DELETE FROM desired_updates WHERE name = ? AND version <= ?').run(name, version);
      })
      .catch((error: unknown) => {
        // It is sent once more when the client comes again after a restart of the hub, which does no harm.
        logger.debug('a delivered twin change could not be struck out', { client: name, error: messageOf(error) });
      });
  }
}

const topicOf = (version: number): string => `$iothub/twin/PATCH/properties/desired/?$version=${version}`;
const bodyOf = (patch: TwinObject, version: number): string => JSON.stringify({ ...patch, $version: version });
