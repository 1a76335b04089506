import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { invalidArgument, mqttProtocolError } from '../errors.ts';
import type { QueueStatus } from '../api/control-status.ts';
import type { RouteProblem } from '@vantage/routing';
import type { Faults } from '../faults/faults.ts';
import type { Certificates } from '../state/certificates.ts';
import type { StateDatabase } from '../state/database.ts';
import { identityName, type IdentityStore } from '../state/identities.ts';
import { MessageJournal } from '../state/message-journal.ts';
import type { Delivery, MessageStore } from '../state/message-store.ts';
import type { TwinChange, TwinStore } from '../twin/store.ts';
import type { HubAccess } from './access.ts';
import { Connections, type Connection, type ConnectionListener } from './connections.ts';
import { DeliveryQueues } from './delivery.ts';
import { MAX_MESSAGE_BYTES, messageSize, systemProperties, type HubMessage, type UpstreamMessage } from './message.ts';
import { HubState, type ClientState } from './hub-state.ts';
import { DirectMethods } from './methods.ts';
import {
  ConnectRefused,
  DEFAULT_LISTEN_ADDRESS,
  MqttServer,
  type InboundPublish,
  type MqttPolicy,
} from './mqtt-server.ts';
import { SessionStore } from './sessions.ts';
import { maySubscribe, parsePublishTopic, type PropertyBag } from './topics.ts';
import { TwinRequests } from './twin-requests.ts';
import { UpstreamLog } from './upstream-log.ts';
import { parseMqttUsername, type MqttUsername } from './username.ts';

const DEFAULT_STORE_BYTES = 256 * 1024 * 1024;

export interface EdgeHubOptions {
  readonly stateDir: string;
  readonly certificates: Certificates;
  readonly identities: IdentityStore;
  readonly access: HubAccess;
  readonly twins: TwinStore;
  readonly database: StateDatabase;
  readonly faults: Faults;
  readonly logger: Logger;
  /** Default `127.0.0.1`. */
  readonly listenAddress?: string;
  /** Most bytes of messages that wait for modules. Default 256 MiB; beyond it senders are refused. */
  readonly storeLimitBytes?: number;
}

/**
 * The hub: takes what modules send, asks the routes, and brings it where it belongs; answers twin requests; carries
 * direct methods. Speaks the edgeHub dialect of contract iot-edge-runtime A and B.
 *
 * Events: `message` (a message is safe and on its way), `upstream` (a message left for the cloud), `client` (a client
 * came or went).
 */
export class EdgeHub extends EventEmitter<{
  message: [HubMessage];
  upstream: [UpstreamMessage];
  client: [string, ClientState];
}> {
  readonly #options: EdgeHubOptions;
  readonly #logger: Logger;
  readonly #sessions: SessionStore;
  readonly #store: MessageStore;
  readonly #upstream: UpstreamLog;
  readonly #state: HubState;
  #mqtt: MqttServer | undefined;
  #connections: Connections | undefined;
  #delivery: DeliveryQueues | undefined;
  #methods: DirectMethods | undefined;
  #twinRequests: TwinRequests | undefined;
  readonly #onTwinChange = (change: TwinChange): void => {
    this.#twinChanged(change);
  };

  constructor(options: EdgeHubOptions) {
    super();
    this.#options = options;
    this.#logger = options.logger;
    this.#state = new HubState(options.identities, options.twins, options.logger);
    this.#sessions = new SessionStore(options.database, maySubscribeAs);
    this.#store = new MessageJournal(options.stateDir, options.storeLimitBytes ?? DEFAULT_STORE_BYTES, options.logger);
    this.#upstream = new UpstreamLog(options.stateDir);
  }

  get methods(): DirectMethods {
    if (this.#methods === undefined) throw invalidArgument('the hub is not running');
    return this.#methods;
  }

  /** Messages delivered, expired and waiting. */
  get counts(): DeliveryQueues['counts'] {
    return this.#delivery?.counts ?? { delivered: 0, expired: 0, waiting: 0 };
  }

  clientState(name: string): ClientState | undefined {
    return this.#state.client(name);
  }

  /** All clients that came since the start, by name. */
  clients(): [name: string, state: ClientState][] {
    return this.#state.clients();
  }

  /** What waits, by endpoint. */
  queues(): QueueStatus[] {
    return this.#delivery?.queues() ?? [];
  }

  /** Sequence of the newest upstream message, ever; 0 when there was none. */
  get upstreamSequence(): number {
    return this.#upstream.lastSequence;
  }

  /** Routes that never match, since their conditions do not compile. */
  get routeProblems(): readonly RouteProblem[] {
    return this.#state.router.problems;
  }

  isConnected(name: string): boolean {
    return this.#connections?.get(name) !== undefined;
  }

  /** Listens, and refuses clients with "unavailable", which the SDK retries, until `open()`. Yields the port. */
  async listen(port: number): Promise<number> {
    if (this.#mqtt === undefined) {
      this.#sessions.open();
      const { certificates } = this.#options;
      this.#mqtt = await MqttServer.create(certificates, this.#sessions, this.#policy(), this.#logger);
      this.#connections = new Connections(this.#mqtt.aedes, this.#sessions, this.#listener(), this.#logger);
      this.#methods = new DirectMethods(this.#connections);
      this.#twinRequests = new TwinRequests(this.#options.twins, this.#connections);
      this.#delivery = new DeliveryQueues(this.#store, this.#connections, this.#logger);
    }
    return this.#mqtt.listen(port, this.#options.listenAddress ?? DEFAULT_LISTEN_ADDRESS);
  }

  /** Loads what was waiting, and the routes. */
  async load(): Promise<void> {
    const { twins, identities } = this.#options;
    const waiting = await this.#store.open();
    await this.#upstream.open();
    this.#delivery?.start(waiting);
    twins.on('change', this.#onTwinChange);
    const { desired, desiredVersion } = twins.get(identityName(identities.hub.deviceId, '$edgeHub'));
    if (Object.keys(desired).length > 0) this.#state.configure(desired, desiredVersion);
  }

  /** Takes clients from now on. */
  open(): void {
    if (this.#mqtt !== undefined) this.#mqtt.ready = true;
  }

  async stop(): Promise<void> {
    this.#options.twins.off('change', this.#onTwinChange);
    this.#connections?.stop();
    this.#delivery?.stop();
    this.#methods?.stop();
    await this.#mqtt?.close();
    this.#mqtt = undefined;
    await this.#state.settled();
    await this.#store.close();
    await this.#upstream.close();
  }

  /** A device or module is gone: its connection, its session and what waits for it go too. */
  async forget(name: string): Promise<void> {
    this.#connections?.drop(name);
    this.#delivery?.forget(name);
    await this.#sessions.forget(name);
    this.#state.forget(name);
  }

  /** Routes a message as if a client had sent it. Resolves when it is safe. */
  async send(message: Omit<HubMessage, 'id' | 'enqueuedTimeUtc'>): Promise<void> {
    if (messageSize(message.body, message) > MAX_MESSAGE_BYTES) {
      throw invalidArgument(`the message is larger than ${MAX_MESSAGE_BYTES} bytes`);
    }
    const stamped: HubMessage = { ...message, id: randomUUID(), enqueuedTimeUtc: new Date().toISOString() };
    const { deviceId } = this.#options.identities.hub;
    const targets = this.#state.router.route({
      source: stamped.twinChange ? 'twinChange' : 'telemetry',
      deviceId: stamped.deviceId,
      moduleId: stamped.moduleId === '' ? undefined : stamped.moduleId,
      output: stamped.output === '' ? undefined : stamped.output,
      properties: stamped.properties,
      systemProperties: systemProperties(stamped),
      body: stamped.body,
    });
    const deliveries: Delivery[] = [];
    let upstream = false;
    for (const target of targets) {
      if (target.endpoint === '$upstream') upstream = true;
      else {
        const { module, input } = target.endpoint;
        const ttlSec = target.timeToLiveSecs === 0 ? this.#state.ttlSec : target.timeToLiveSecs;
        const expiresAtMs = ttlSec < 0 ? null : Date.now() + ttlSec * 1000;
        deliveries.push({ endpoint: `${deviceId}/${module}/${input}`, priority: target.priority, expiresAtMs });
      }
    }
    const [stored, sent] = await Promise.all([
      deliveries.length === 0 ? undefined : this.#store.put(stamped, deliveries),
      upstream ? this.#upstream.append(stamped) : undefined,
    ]);
    if (stored !== undefined) this.#delivery?.enqueue(stored);
    this.emit('message', stamped);
    if (sent !== undefined) this.emit('upstream', sent);
  }

  #policy(): MqttPolicy {
    return {
      authenticate: (clientId, username, password) => {
        this.#authenticate(clientId, username, password);
      },
      maySubscribe: maySubscribeAs,
      publish: (clientId, packet) => this.#publish(clientId, packet),
    };
  }

  #listener(): ConnectionListener {
    return {
      connected: (connection) => {
        this.emit('client', connection.name, this.#state.clientIs(connection.name, 'Connected'));
      },
      disconnected: (name) => {
        this.#delivery?.disconnected(name);
        this.emit('client', name, this.#state.clientIs(name, 'Disconnected'));
      },
      ready: (connection: Connection, what) => {
        if (what === 'inputs') this.#delivery?.pump(connection.name);
        else this.#methods?.ready(connection.name);
      },
      acknowledged: (connection, token) => {
        this.#delivery?.acknowledged(connection.name, token);
      },
    };
  }

  #authenticate(clientId: string, username: string, password: string): void {
    let user: MqttUsername;
    try {
      user = parseMqttUsername(username);
    } catch (error) {
      throw new ConnectRefused(4, messageOf(error));
    }
    const { deviceId, moduleId } = user;
    if (clientId !== identityName(deviceId, moduleId)) {
      throw new ConnectRefused(2, `the client id "${clientId}" is not the one of the user name`);
    }
    if (password === '') throw new ConnectRefused(4, 'there is no password');
    this.#options.access.checkClient(deviceId, moduleId, password);
  }

  async #publish(clientId: string, packet: InboundPublish): Promise<void> {
    const topic = parsePublishTopic(packet.topic);
    switch (topic.kind) {
      case 'telemetry':
        if (identityName(topic.deviceId, topic.moduleId) !== clientId) {
          throw mqttProtocolError(`"${clientId}" may not send for "${identityName(topic.deviceId, topic.moduleId)}"`);
        }
        await this.#telemetry(topic.deviceId, topic.moduleId, topic.bag, packet.payload);
        return;
      case 'twin-get':
        this.#twinRequests?.get(clientId, topic.requestId);
        return;
      case 'twin-patch':
        await this.#twinRequests?.patchReported(clientId, topic.requestId, packet.payload);
        return;
      case 'method-result':
        this.#methods?.answered(clientId, topic.requestId, topic.status, packet.payload);
        return;
    }
  }

  async #telemetry(deviceId: string, moduleId: string, bag: PropertyBag, body: Buffer): Promise<void> {
    await this.send({ deviceId, moduleId, output: bag.system['on'] ?? '', ...bag, body, twinChange: false });
  }

  #twinChanged(change: TwinChange): void {
    const { hub } = this.#options.identities;
    if (change.part === 'reported') {
      this.#notifyTwinChange(change);
      return;
    }
    const patch = { ...change.patch, $version: change.version };
    const topic = `$iothub/twin/PATCH/properties/desired/?$version=${change.version}`;
    this.#connections?.send(change.name, topic, JSON.stringify(patch), 0);
    if (change.name === identityName(hub.deviceId, '$edgeHub')) {
      this.#state.configure(this.#options.twins.get(change.name).desired, change.version);
    }
  }

  /** Reported properties of modules are messages too, for routes that ask for them. */
  #notifyTwinChange(change: TwinChange): void {
    const [deviceId = '', moduleId = ''] = change.name.split('/');
    if (moduleId.startsWith('$')) return;
    const system = { ct: 'application/json', ce: 'utf-8', schema: 'twinChangeNotification' };
    const body = Buffer.from(
      JSON.stringify({ properties: { reported: { ...change.patch, $version: change.version } } }),
    );
    this.send({ deviceId, moduleId, output: '', properties: {}, system, body, twinChange: true }).catch(
      (error: unknown) => {
        this.#logger.warn('a twin change could not be routed', { name: change.name, error: messageOf(error) });
      },
    );
  }
}

function maySubscribeAs(clientId: string, filter: string): boolean {
  const [deviceId = '', moduleId = ''] = clientId.split('/');
  return maySubscribe(filter, deviceId, moduleId);
}
