import { randomUUID } from 'node:crypto';
import { VantageError } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { RoutedMessage } from '@vantage/routing';
import { messageTooLarge } from '../errors.ts';
import type { Faults } from '../faults/faults.ts';
import type { StateDatabase } from '../state/database.ts';
import type { Copy, Delivery, Waiting } from '../state/message-rows.ts';
import { MessageStore } from '../state/message-store.ts';
import type { Connections } from './connections.ts';
import type { HubState } from './hub-state.ts';
import { MAX_MESSAGE_BYTES, messageSize, systemProperties, type HubMessage, type UpstreamMessage } from './message.ts';
import { MessageCounts } from './message-counts.ts';
import { ModuleDelivery } from './module-delivery.ts';
import { UPSTREAM, UpstreamDelivery } from './upstream-delivery.ts';
import { UpstreamStore, type UpstreamRetention } from './upstream-store.ts';

const DEFAULT_STORE_BYTES = 256 * 1024 * 1024;
const ACK_TIMEOUT_MS = 30_000;
const DELIVERY_WINDOW = 32;
const SWEEP_MS = 60_000;
const SWEEP_ITEMS = 10_000;
/** A time to live of 0 means "not when the target is away"; one that is there gets the message within this time. */
const MIN_TTL_MS = 1000;

export interface MessagingLimits {
  /** Most bytes of messages that wait. Default 256 MiB, or what `$edgeHub` asks for; of both given the smaller one. */
  readonly storeLimitBytes?: number;
  /** How long a module may take to acknowledge a message, milliseconds. Default 30 000, as in edgeHub. */
  readonly messageAckTimeoutMs?: number;
  /**
   * Most messages on the wire to one module that it has not acknowledged. It begins with one, as edgeHub always has, and
   * grows by one with each acknowledgement up to this, 32 by default. Order stays (MQTT 3.1.1, 4.6). A message of a more
   * urgent route waits behind so many at most, and a module that is lost gets so many once more at most.
   */
  readonly deliveryWindow?: number;
  /** How much is kept of what left for the cloud. Default 100 000 messages, 128 MiB. */
  readonly upstreamRetention?: Partial<UpstreamRetention>;
}

export interface MessagingOptions {
  readonly database: StateDatabase;
  readonly faults: Faults;
  readonly state: HubState;
  readonly edgeDeviceId: string;
  readonly limits: MessagingLimits;
  readonly logger: Logger;
  /** A message is safe and on its way. */
  readonly taken: (message: HubMessage) => void;
  /** Messages arrived in the cloud. */
  readonly arrived: (messages: readonly UpstreamMessage[]) => void;
}

/** What a client sent, before the hub stamps it. */
export type IncomingMessage = Omit<HubMessage, 'id' | 'enqueuedTimeUtc' | 'origin'>;

/** The way of a message through the hub: stamped, routed, stored, and from there to modules and upstream. */
export class Messaging {
  readonly counts: MessageCounts;
  readonly cloud: UpstreamStore;
  readonly #options: MessagingOptions;
  readonly #store: MessageStore;
  readonly #upstream: UpstreamDelivery;
  #modules: ModuleDelivery | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #onFaults = (): void => {
    this.#dropExpired();
  };

  constructor(options: MessagingOptions) {
    this.#options = options;
    const { database, faults, logger, limits, arrived } = options;
    this.#store = new MessageStore(database, () => this.#storeLimitBytes(), logger);
    this.counts = new MessageCounts(this.#store);
    this.cloud = new UpstreamStore(database, limits.upstreamRetention);
    const { counts, cloud } = this;
    this.#upstream = new UpstreamDelivery({ store: this.#store, cloud, faults, counts, logger, arrived });
  }

  /** Takes up what waited when the hub was stopped or lost. */
  start(connections: Pick<Connections, 'get' | 'send'>): void {
    const { faults, logger, limits } = this.#options;
    const ackTimeoutMs = limits.messageAckTimeoutMs ?? ACK_TIMEOUT_MS;
    this.#modules = new ModuleDelivery({
      store: this.#store,
      connections,
      faults,
      counts: this.counts,
      logger,
      ackTimeoutMs,
      window: Math.max(1, limits.deliveryWindow ?? DELIVERY_WINDOW),
    });
    for (const { target, priority } of this.#store.queues()) {
      if (target === UPSTREAM) this.#upstream.resume(priority);
      else this.#modules.resume(target, priority);
    }
    this.#upstream.start();
    faults.on('change', this.#onFaults);
    this.#dropExpired();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.faults.off('change', this.#onFaults);
    clearTimeout(this.#sweep);
    this.#modules?.stop();
    await this.#upstream.stop();
    await this.#store.close();
  }

  /** A module takes messages on its inputs from now on. */
  ready(name: string): void {
    this.#modules?.ready(name);
  }

  acknowledged(name: string, token: number): void {
    this.#modules?.acknowledged(name, token);
  }

  disconnected(name: string): void {
    this.#modules?.disconnected(name);
  }

  /** A module is gone for good: nothing waits for it any longer. */
  async forget(name: string): Promise<void> {
    this.#modules?.forget(name);
    await this.#store.forget(name);
  }

  /**
   * Routes a message. Resolves when it is safe.
   * @throws VantageError EDGE_HUB_MESSAGE_TOO_LARGE, EDGE_STORE_FULL, EDGE_DISK_FULL
   */
  async send(incoming: IncomingMessage): Promise<void> {
    const { edgeDeviceId, faults, taken } = this.#options;
    const message: HubMessage = {
      ...incoming,
      id: randomUUID(),
      enqueuedTimeUtc: new Date(faults.now()).toISOString(),
      origin: incoming.deviceId === edgeDeviceId ? 'internal' : 'downstream',
    };
    const size = messageSize(message.body, message);
    if (size > MAX_MESSAGE_BYTES) {
      this.counts.refused(message, 'message_too_large');
      throw messageTooLarge(size, MAX_MESSAGE_BYTES);
    }
    const deliveries = this.#route(message);
    if (deliveries.length > 0) {
      try {
        this.#enqueue(await this.#store.put(message, deliveries));
      } catch (error) {
        if (VantageError.is(error)) this.counts.refused(message, 'storage_failure');
        throw error;
      }
    }
    this.counts.received(message);
    if (deliveries.length === 0) this.counts.unrouted(message);
    taken(message);
  }

  #enqueue(copies: readonly Waiting[]): void {
    for (const copy of copies) {
      if (copy.target === UPSTREAM) this.#upstream.enqueue(copy);
      else this.#modules?.enqueue(copy);
    }
  }

  #route(message: HubMessage): Delivery[] {
    const { edgeDeviceId, faults, state } = this.#options;
    const targets = state.router.route(new Routable(message));
    return targets.map(({ endpoint, priority, timeToLiveSecs }) => {
      const ttlMs = (timeToLiveSecs === 0 ? state.ttlSec : timeToLiveSecs) * 1000;
      const expiresAtMs = ttlMs < 0 ? null : faults.now() + Math.max(MIN_TTL_MS, ttlMs);
      if (endpoint === '$upstream') return { target: UPSTREAM, endpoint, priority, expiresAtMs };
      const target = `${edgeDeviceId}/${endpoint.module}`;
      return { target, endpoint: `${target}/${endpoint.input}`, priority, expiresAtMs };
    });
  }

  #storeLimitBytes(): number {
    const wanted = this.#options.state.storeLimitBytes;
    const option = this.#options.limits.storeLimitBytes;
    return Math.min(wanted ?? option ?? DEFAULT_STORE_BYTES, option ?? Infinity);
  }

  /** Time runs out for what nobody fetches, too. */
  #dropExpired(): void {
    clearTimeout(this.#sweep);
    if (this.#stopped) return;
    const found = this.#store.expired(this.#options.faults.now(), SWEEP_ITEMS);
    const dead = found.filter((copy: Copy) =>
      copy.target === UPSTREAM ? this.#upstream.drop(copy) : this.#modules?.drop(copy) !== false,
    );
    for (const copy of dead) this.counts.expired(copy);
    if (dead.length > 0) this.#store.settle(dead);
    this.#sweep = setTimeout(this.#onFaults, found.length < SWEEP_ITEMS ? SWEEP_MS : 100);
    this.#sweep.unref();
  }
}

/** A message as routes see it. Most have no condition: nothing is made that none asks for. */
class Routable implements RoutedMessage {
  readonly #message: HubMessage;

  constructor(message: HubMessage) {
    this.#message = message;
  }

  get source(): RoutedMessage['source'] {
    return this.#message.twinChange ? 'twinChange' : 'telemetry';
  }

  get deviceId(): string {
    return this.#message.deviceId;
  }

  get moduleId(): string | undefined {
    return this.#message.moduleId === '' ? undefined : this.#message.moduleId;
  }

  get output(): string | undefined {
    return this.#message.output === '' ? undefined : this.#message.output;
  }

  get properties(): HubMessage['properties'] {
    return this.#message.properties;
  }

  get systemProperties(): Record<string, string> {
    return systemProperties(this.#message);
  }

  get body(): Buffer {
    return this.#message.body;
  }
}
