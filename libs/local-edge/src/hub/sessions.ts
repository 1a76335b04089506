import { Readable } from 'node:stream';
import type { StateDatabase } from '../state/database.ts';

interface StoredSubscription {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

type Packet = Readonly<Record<string, unknown>> & { messageId?: number };
type ClientRef = Readonly<{ id: string }>;

/**
 * The MQTT sessions of the broker, in the form aedes asks of a persistence.
 *
 * Subscriptions are kept in the database: the SDK does not subscribe to twin topics again after a reconnect, so a hub that
 * forgets them makes twins go deaf (contract iot-edge-runtime 0.2). Messages are not kept here: they wait in the
 * hub's own queues (`module-delivery.ts`), and `Connections` knows what is on the wire. There are no retained messages and no QoS 2 in the IoT Hub dialect.
 */
export class SessionStore {
  readonly #database: StateDatabase;
  readonly #sessions = new Map<string, Map<string, StoredSubscription>>();
  readonly #allowed: (clientId: string, filter: string) => boolean;

  /** `allowed` says whether a client may hold a subscription; others are not stored. */
  constructor(database: StateDatabase, allowed: (clientId: string, filter: string) => boolean) {
    this.#database = database;
    this.#allowed = allowed;
  }

  open(): void {
    this.#database.define(
      'CREATE TABLE IF NOT EXISTS sessions (client TEXT, topic TEXT, qos INTEGER, PRIMARY KEY (client, topic)) WITHOUT ROWID',
    );
    for (const { client, topic, qos } of this.#database.prepare('SELECT client, topic, qos FROM sessions').iterate()) {
      if (typeof client !== 'string' || typeof topic !== 'string' || !this.#allowed(client, topic)) continue;
      this.#topicsOf(client).set(topic, { topic, qos: qos === 0 ? 0 : 1 });
    }
  }

  /** Whether the session of a client, connected or not, holds a subscription. */
  has(clientId: string, filter: string): boolean {
    return this.#sessions.get(clientId)?.has(filter) ?? false;
  }

  /** Forgets the session of a device or module that is gone. */
  async forget(clientId: string): Promise<void> {
    if (!this.#sessions.has(clientId)) return;
    await this.#database.write(() => {
      this.#database.prepare('DELETE FROM sessions WHERE client = ?').run(clientId);
    });
    this.#sessions.delete(clientId);
  }

  // What follows is called by aedes; setup must be an async function.

  async setup(): Promise<void> {
    await Promise.resolve();
  }

  async addSubscriptions(client: ClientRef, subscriptions: readonly StoredSubscription[]): Promise<void> {
    const stored = this.#sessions.get(client.id);
    const added = subscriptions.filter(
      ({ topic, qos }) => this.#allowed(client.id, topic) && stored?.get(topic)?.qos !== qos,
    );
    if (added.length === 0) return;
    await this.#database.write(() => {
      const statement = this.#database.prepare('INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)');
      for (const { topic, qos } of added) statement.run(client.id, topic, qos);
    });
    for (const { topic, qos } of added) this.#topicsOf(client.id).set(topic, { topic, qos });
  }

  async removeSubscriptions(client: ClientRef, topics: readonly string[]): Promise<void> {
    const removed = topics.filter((topic) => this.has(client.id, topic));
    if (removed.length === 0) return;
    await this.#database.write(() => {
      const statement = this.#database.prepare('DELETE FROM sessions WHERE client = ? AND topic = ?');
      for (const topic of removed) statement.run(client.id, topic);
    });
    for (const topic of removed) this.#sessions.get(client.id)?.delete(topic);
  }

  async cleanSubscriptions(client: ClientRef): Promise<void> {
    await this.forget(client.id);
  }

  subscriptionsByClient(client: ClientRef): Promise<StoredSubscription[]> {
    return Promise.resolve([...(this.#sessions.get(client.id)?.values() ?? [])]);
  }

  /** Nothing a client publishes reaches another one by its topic: routes decide, and the hub delivers. */
  subscriptionsByTopic(): Promise<never[]> {
    return Promise.resolve([]);
  }

  countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    return Promise.resolve({ subsCount: 0, clientsCount: this.#sessions.size });
  }

  outgoingEnqueue(): Promise<void> {
    return Promise.resolve();
  }

  outgoingEnqueueCombi(): Promise<void> {
    return Promise.resolve();
  }

  outgoingUpdate(): Promise<void> {
    return Promise.resolve();
  }

  /** Yields what the event `ack` is to carry: the PUBACK itself. */
  outgoingClearMessageId(_client: ClientRef, packet: Packet): Promise<Packet> {
    return Promise.resolve(packet);
  }

  outgoingStream(): Readable {
    return Readable.from([]);
  }

  createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }

  storeRetained(): Promise<void> {
    return Promise.resolve();
  }

  incomingStorePacket(): Promise<void> {
    return Promise.reject(new Error('QoS 2 is not part of the IoT Hub dialect'));
  }

  incomingGetPacket(): Promise<never> {
    return Promise.reject(new Error('no such packet'));
  }

  incomingDelPacket(): Promise<never> {
    return Promise.reject(new Error('no such packet'));
  }

  cleanIncoming(): Promise<void> {
    return Promise.resolve();
  }

  putWill(): Promise<void> {
    return Promise.resolve();
  }

  getWill(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  delWill(): Promise<void> {
    return Promise.resolve();
  }

  streamWill(): Readable {
    return Readable.from([]);
  }

  destroy(): Promise<void> {
    return Promise.resolve();
  }

  #topicsOf(clientId: string): Map<string, StoredSubscription> {
    const topics = this.#sessions.get(clientId) ?? new Map<string, StoredSubscription>();
    this.#sessions.set(clientId, topics);
    return topics;
  }
}
