import { join } from 'node:path';
import { Readable } from 'node:stream';
import { isTwinObject } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { JsonFile, readState } from '../state/files.ts';

interface StoredSubscription {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

type Packet = Readonly<Record<string, unknown>> & { messageId?: number; brokerCounter?: number; cmd?: string };
type ClientRef = Readonly<{ id: string }>;
type SessionFile = Readonly<Record<string, readonly StoredSubscription[]>>;

/**
 * The MQTT sessions of the broker, in the form aedes asks of a persistence.
 *
 * Subscriptions are kept on disk: the SDK does not subscribe to twin topics again after a reconnect, so a hub that
 * forgets them makes twins go deaf (contract iot-edge-runtime 0.2). Messages are not kept here, they wait in the
 * hub's own queues (`delivery.ts`); this class only remembers which ones are on the wire, to know a PUBACK when it
 * comes. There are no retained messages and no QoS 2 in the IoT Hub dialect.
 */
export class SessionStore {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #file: JsonFile;
  readonly #sessions = new Map<string, Map<string, StoredSubscription>>();
  readonly #onWire = new Map<string, Map<number, Packet>>();
  readonly #allowed: (clientId: string, filter: string) => boolean;

  /** `allowed` says whether a client may hold a subscription; others are not stored. */
  constructor(stateDir: string, logger: Logger, allowed: (clientId: string, filter: string) => boolean) {
    this.#path = join(stateDir, 'sessions.json');
    this.#logger = logger;
    this.#allowed = allowed;
    this.#file = new JsonFile(this.#path, () =>
      Object.fromEntries([...this.#sessions].map(([id, topics]) => [id, [...topics.values()]])),
    );
  }

  async open(): Promise<void> {
    const stored = await readState(this.#path, isSessionFile, this.#logger);
    for (const [id, subscriptions] of Object.entries(stored ?? {})) {
      this.#sessions.set(id, new Map(subscriptions.map((item) => [item.topic, item])));
    }
  }

  async close(): Promise<void> {
    await this.#file.idle();
  }

  /** Whether the session of a client, connected or not, holds a subscription. */
  has(clientId: string, filter: string): boolean {
    return this.#sessions.get(clientId)?.has(filter) ?? false;
  }

  /** Forgets the session of a device or module that is gone. */
  async forget(clientId: string): Promise<void> {
    if (this.#sessions.delete(clientId)) await this.#file.save();
  }

  // What follows is called by aedes; setup must be an async function.

  async setup(): Promise<void> {
    await Promise.resolve();
  }

  async addSubscriptions(client: ClientRef, subscriptions: readonly StoredSubscription[]): Promise<void> {
    const topics = this.#sessions.get(client.id) ?? new Map<string, StoredSubscription>();
    this.#sessions.set(client.id, topics);
    let changed = false;
    for (const { topic, qos } of subscriptions) {
      if (!this.#allowed(client.id, topic) || topics.get(topic)?.qos === qos) continue;
      topics.set(topic, { topic, qos });
      changed = true;
    }
    if (changed) await this.#file.save();
  }

  async removeSubscriptions(client: ClientRef, topics: readonly string[]): Promise<void> {
    const stored = this.#sessions.get(client.id);
    let changed = false;
    for (const topic of topics) changed = (stored?.delete(topic) ?? false) || changed;
    if (changed) await this.#file.save();
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

  outgoingUpdate(client: ClientRef, packet: Packet): Promise<void> {
    if (packet.messageId !== undefined) {
      const packets = this.#onWire.get(client.id) ?? new Map<number, Packet>();
      this.#onWire.set(client.id, packets);
      packets.set(packet.messageId, packet);
    }
    return Promise.resolve();
  }

  outgoingClearMessageId(client: ClientRef, packet: Packet): Promise<Packet | undefined> {
    const packets = this.#onWire.get(client.id);
    const found = packet.messageId === undefined ? undefined : packets?.get(packet.messageId);
    if (packet.messageId !== undefined) packets?.delete(packet.messageId);
    return Promise.resolve(found);
  }

  /** Called when a client is ready: what was on the wire before belongs to its last connection. */
  outgoingStream(client: ClientRef): Readable {
    this.#onWire.delete(client.id);
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
}

function isSessionFile(value: unknown): value is SessionFile {
  return (
    isTwinObject(value) &&
    Object.values(value).every(
      (items) => Array.isArray(items) && items.every((item) => isTwinObject(item) && typeof item['topic'] === 'string'),
    )
  );
}
