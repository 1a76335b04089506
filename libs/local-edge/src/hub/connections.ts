import type { Aedes, Client } from 'aedes';
import { writeToStream } from 'mqtt-packet';
import type { Logger } from '@vantage/observability';
import type { Faults } from '../faults/faults.ts';
import { faultName, type HubAccess, type TokenGrant } from './access.ts';
import type { SessionStore } from './sessions.ts';
import { SlowLink } from './slow-link.ts';
import { DESIRED_FILTER, METHODS_FILTER, inputsFilter } from './topics.ts';

/** What a client can take: messages on its inputs, direct methods, changes of its desired properties. */
export type Readiness = 'inputs' | 'methods' | 'desired';

/** A client that is connected now. */
export interface Connection {
  /** `D` or `D/M`. */
  readonly name: string;
  readonly deviceId: string;
  readonly moduleId: string;
  readonly client: Client;
  /** What may be sent to it: it subscribed on this connection, or is trusted to listen still. */
  readonly ready: Set<Readiness>;
  readonly connectedAtMs: number;
  /** The token it came with. */
  readonly grant: TokenGrant;
  readonly link: SlowLink;
  /** The tokens of what it has not acknowledged, by MQTT's number of the packet. */
  readonly onWire: Map<number, number>;
  lastMessageId: number;
}

/** What the hub wants to know of its clients. */
export interface ConnectionListener {
  connected(connection: Connection): void;
  disconnected(name: string): void;
  ready(connection: Connection, what: Readiness): void;
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

/** Packets are numbered from 1 to this (MQTT 3.1.1, 2.3.1). */
const MAX_MESSAGE_ID = 65_535;

/** How often connections are looked through for tokens that have ended. */
const TOKEN_SWEEP_MS = 1000;

export interface ConnectionsOptions {
  readonly broker: Aedes;
  readonly sessions: SessionStore;
  readonly access: HubAccess;
  readonly faults: Faults;
  /** Faults name the modules of this device without it. */
  readonly edgeDeviceId: string;
  readonly listener: ConnectionListener;
  readonly logger: Logger;
  /** The token that a client was admitted with. */
  readonly grantOf: (client: Client) => TokenGrant | undefined;
}

/**
 * The connected clients by name, and the one place that writes to them. Ends connections whose token has ended, and
 * those that a fault cuts.
 */
export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #sessions: SessionStore;
  readonly #listener: ConnectionListener;
  readonly #logger: Logger;
  readonly #connections = new Map<string, Connection>();
  readonly #closedAtMs = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #lastToken = 0;
  readonly #sweep: NodeJS.Timeout;
  readonly #onFaults = (): void => {
    this.#cut();
    this.closeUnentitled();
  };

  constructor(options: ConnectionsOptions) {
    const { broker, sessions, listener, logger, faults } = options;
    this.#options = options;
    this.#sessions = sessions;
    this.#listener = listener;
    this.#logger = logger;
    faults.on('change', this.#onFaults);
    this.#sweep = setInterval(() => {
      this.closeUnentitled();
    }, TOKEN_SWEEP_MS);
    this.#sweep.unref();
    // Before its CONNACK goes out: who has that is connected in the eyes of everybody.
    broker.on('client', (client) => {
      this.#connected(client);
    });
    broker.on('clientReady', (client) => {
      const connection = this.get(client.id);
      if (connection?.client === client) this.#takesUp(connection);
    });
    broker.on('clientDisconnect', (client) => {
      this.#disconnected(client);
    });
    broker.on('subscribe', (subscriptions, client) => {
      const connection = this.get(client.id);
      if (connection?.client !== client) return;
      for (const { topic } of subscriptions) this.#subscribed(connection, topic);
    });
    broker.on('unsubscribe', (filters, client) => {
      const connection = this.get(client.id);
      if (connection?.client !== client) return;
      for (const filter of filters) {
        const what = readinessOf(connection, filter);
        if (what !== undefined) connection.ready.delete(what);
      }
    });
    broker.on('ack', (packet, client) => {
      const connection = this.get(client.id);
      const { messageId } = packet as { messageId?: number };
      if (connection?.client !== client || messageId === undefined) return;
      const token = connection.onWire.get(messageId);
      if (token === undefined || !connection.onWire.delete(messageId)) return;
      listener.acknowledged(connection, token);
    });
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
   * a client that is not connected, or whose twin is deaf by a fault, undefined.
   */
  send(name: string, topic: string, payload: string | Buffer, qos: 0 | 1): number | undefined {
    const connection = this.#connections.get(name);
    if (connection === undefined) return undefined;
    const { faults, edgeDeviceId } = this.#options;
    const target = faultName(edgeDeviceId, connection.deviceId, connection.moduleId);
    if (topic.startsWith('$iothub/twin/') && faults.isTwinDeaf(target)) return undefined;
    const token = ++this.#lastToken;
    connection.link.send(() => {
      this.#write(connection, topic, payload, qos === 0 ? undefined : token);
    }, faults.delayMs(target));
    return token;
  }

  /** Closes a client's connection, for instance because its identity is gone. */
  drop(name: string): void {
    this.#connections.get(name)?.client.close();
  }

  /** Closes the connections of clients whose token has ended, or who are not known any longer. Yields how many. */
  closeUnentitled(): number {
    let count = 0;
    for (const { name, deviceId, moduleId, grant, client } of this.all()) {
      const reason = this.#options.access.whyToClose(deviceId, moduleId, grant);
      if (reason === undefined) continue;
      this.#logger.info('a connection is closed', { client: name, reason });
      client.close();
      count += 1;
    }
    return count;
  }

  /**
   * Writes past aedes, which gives each packet a turn of the event loop of its own and so a write to the socket of its
   * own (bench P7). The numbers of packets are the connection's: nothing else in this broker sends QoS 1.
   */
  #write(connection: Connection, topic: string, payload: string | Buffer, token: number | undefined): void {
    const { client, name, onWire } = connection;
    if (client.closed || client.conn.destroyed) {
      this.#logger.debug('a packet did not reach its client', { client: name, topic });
      return;
    }
    const packet = { cmd: 'publish' as const, topic, payload, retain: false, dup: false };
    if (token === undefined) writeToStream({ ...packet, qos: 0 }, client.conn);
    else {
      connection.lastMessageId = (connection.lastMessageId % MAX_MESSAGE_ID) + 1;
      onWire.set(connection.lastMessageId, token);
      writeToStream({ ...packet, qos: 1, messageId: connection.lastMessageId }, client.conn);
    }
  }

  stop(): void {
    this.#options.faults.off('change', this.#onFaults);
    clearInterval(this.#sweep);
    for (const { link } of this.all()) link.close();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #connected(client: Client): void {
    const [deviceId = '', moduleId = ''] = client.id.split('/');
    const name = client.id;
    const grant = this.#options.grantOf(client);
    if (grant === undefined) {
      client.close();
      return;
    }
    this.#connections.get(name)?.link.close();
    const link = new SlowLink(() => {
      this.#logger.warn('too much waits for a slow client; its connection is closed', { client: name });
      client.close();
    });
    const connection: Connection = {
      name,
      deviceId,
      moduleId,
      client,
      ready: new Set<Readiness>(),
      connectedAtMs: Date.now(),
      grant,
      link,
      onWire: new Map<number, number>(),
      lastMessageId: 0,
    };
    this.#connections.set(name, connection);
    this.#listener.connected(connection);
  }

  /** From now on something may be sent to it, if its session says so. */
  #takesUp(connection: Connection): void {
    const { name, connectedAtMs } = connection;
    if (connectedAtMs - (this.#closedAtMs.get(name) ?? 0) < RENEWAL_MS) {
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
    if (this.#sessions.has(name, DESIRED_FILTER)) this.#markReady(connection, 'desired');
    if (this.#sessions.has(name, METHODS_FILTER)) this.#markReady(connection, 'methods');
    if (this.#sessions.has(name, inputsFilter(deviceId, moduleId))) this.#markReady(connection, 'inputs');
  }

  #disconnected(client: Client): void {
    // The client that took over has the name by now.
    const connection = this.#connections.get(client.id);
    if (connection?.client !== client) return;
    connection.link.close();
    this.#connections.delete(client.id);
    this.#closedAtMs.set(client.id, Date.now());
    this.#listener.disconnected(client.id);
  }

  #subscribed(connection: Connection, filter: string): void {
    const what = readinessOf(connection, filter);
    if (what !== undefined) this.#markReady(connection, what);
  }

  #markReady(connection: Connection, what: Readiness): void {
    if (connection.ready.has(what)) return;
    connection.ready.add(what);
    this.#listener.ready(connection, what);
  }

  /** The network of modules that a fault cuts breaks without a word. */
  #cut(): void {
    for (const { deviceId, moduleId, client } of this.all()) {
      if (this.#options.access.isCut(deviceId, moduleId)) client.conn.destroy();
    }
  }
}

/** What a subscription lets a client take. */
function readinessOf({ deviceId, moduleId }: Connection, filter: string): Readiness | undefined {
  if (filter === DESIRED_FILTER) return 'desired';
  if (filter === METHODS_FILTER) return 'methods';
  return filter === inputsFilter(deviceId, moduleId) ? 'inputs' : undefined;
}
