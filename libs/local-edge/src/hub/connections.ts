import type { Aedes, Client } from 'aedes';
import type { Logger } from '@vantage/observability';
import { METHODS_FILTER, inputsFilter } from './topics.ts';
import type { SessionStore } from './sessions.ts';

/** A client that is connected now. */
export interface Connection {
  /** `D` or `D/M`. */
  readonly name: string;
  readonly deviceId: string;
  readonly moduleId: string;
  readonly client: Client;
  /** What may be sent to it: it subscribed on this connection, or is trusted to listen still. */
  readonly ready: Set<'inputs' | 'methods'>;
  readonly connectedAtMs: number;
}

/** What the hub wants to know of its clients. */
export interface ConnectionListener {
  connected(connection: Connection): void;
  disconnected(name: string): void;
  /** The client can take messages on its inputs, or direct methods. */
  ready(connection: Connection, what: 'inputs' | 'methods'): void;
  /** The client acknowledged a message that `send` gave this token. */
  acknowledged(connection: Connection, token: number): void;
}

/**
 * A token renewal closes and opens the connection within moments and subscribes to nothing again, so the session
 * alone says what the client listens to. A module that was started anew takes longer, and listens only after it has
 * subscribed: what it gets before is acknowledged by mqtt.js and lost.
 */
const RENEWAL_MS = 500;
/** A client that relies on its session gets its messages after this time without a SUBSCRIBE. */
export const SESSION_GRACE_MS = 3000;

/** The connected clients by name, and the one place that writes to them. */
export class Connections {
  readonly #broker: Aedes;
  readonly #sessions: SessionStore;
  readonly #listener: ConnectionListener;
  readonly #logger: Logger;
  readonly #connections = new Map<string, Connection>();
  readonly #closedAtMs = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(broker: Aedes, sessions: SessionStore, listener: ConnectionListener, logger: Logger) {
    this.#broker = broker;
    this.#sessions = sessions;
    this.#listener = listener;
    this.#logger = logger;
    broker.on('clientReady', (client) => {
      this.#connected(client);
    });
    broker.on('clientDisconnect', (client) => {
      this.#disconnected(client);
    });
    broker.on('subscribe', (subscriptions, client) => {
      const connection = this.get(client.id);
      if (connection?.client !== client) return;
      for (const { topic } of subscriptions) this.#subscribed(connection, topic);
    });
    broker.on('ack', (packet, client) => {
      const connection = this.get(client.id);
      const token = (packet as { brokerCounter?: number } | undefined)?.brokerCounter;
      if (connection?.client === client && token !== undefined) listener.acknowledged(connection, token);
    });
    // Without a listener these would end the process; aedes closes the connection itself.
    for (const event of ['clientError', 'connectionError'] as const) {
      broker.on(event, (client, error) => {
        this.#logger.debug('an MQTT connection failed', { client: client.id, error: error.message });
      });
    }
  }

  get(name: string): Connection | undefined {
    return this.#connections.get(name);
  }

  all(): Connection[] {
    return [...this.#connections.values()];
  }

  /** Connected, and its session holds the methods subscription: it takes methods now or in a moment. */
  listensToMethods(name: string): boolean {
    return this.#connections.has(name) && this.#sessions.has(name, METHODS_FILTER);
  }

  /**
   * Sends to one client, whatever it is subscribed to. Yields the token that `acknowledged` gives back for QoS 1; for
   * a client that is not connected, undefined.
   */
  send(name: string, topic: string, payload: string | Buffer, qos: 0 | 1): number | undefined {
    const connection = this.#connections.get(name);
    if (connection === undefined) return undefined;
    const broker = this.#broker as Aedes & { counter: number };
    const token = ++broker.counter;
    const packet = {
      cmd: 'publish' as const,
      topic,
      payload,
      qos,
      retain: false,
      dup: false,
      // aedes numbers packets itself unless they carry a number: carrying one lets us know the PUBACK.
      brokerId: broker.id,
      brokerCounter: token,
    };
    connection.client.publish(packet, (error) => {
      if (error !== undefined && error !== null) {
        this.#logger.debug('a packet did not reach its client', { client: name, topic, error: error.message });
      }
    });
    return token;
  }

  /** Closes a client's connection, for instance because its identity is gone. */
  drop(name: string): void {
    this.#connections.get(name)?.client.close();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #connected(client: Client): void {
    const [deviceId = '', moduleId = ''] = client.id.split('/');
    const name = client.id;
    const now = Date.now();
    const connection: Connection = { name, deviceId, moduleId, client, ready: new Set(), connectedAtMs: now };
    this.#connections.set(name, connection);
    this.#listener.connected(connection);
    if (now - (this.#closedAtMs.get(name) ?? 0) < RENEWAL_MS) {
      this.#trustSession(connection);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.get(name) === connection) this.#trustSession(connection);
    }, SESSION_GRACE_MS);
    this.#timers.add(timer);
  }

  #trustSession(connection: Connection): void {
    const { name, deviceId, moduleId } = connection;
    if (this.#sessions.has(name, METHODS_FILTER)) this.#markReady(connection, 'methods');
    if (this.#sessions.has(name, inputsFilter(deviceId, moduleId))) this.#markReady(connection, 'inputs');
  }

  #disconnected(client: Client): void {
    // The client that took over has the name by now.
    if (this.#connections.get(client.id)?.client !== client) return;
    this.#connections.delete(client.id);
    this.#closedAtMs.set(client.id, Date.now());
    this.#listener.disconnected(client.id);
  }

  #subscribed(connection: Connection, filter: string): void {
    if (filter === METHODS_FILTER) this.#markReady(connection, 'methods');
    if (filter === inputsFilter(connection.deviceId, connection.moduleId)) this.#markReady(connection, 'inputs');
  }

  #markReady(connection: Connection, what: 'inputs' | 'methods'): void {
    if (connection.ready.has(what)) return;
    connection.ready.add(what);
    this.#listener.ready(connection, what);
  }
}
