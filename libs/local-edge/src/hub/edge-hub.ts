import { EventEmitter } from 'node:events';
import type { IncomingMessage as HttpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Client } from 'aedes';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { invalidArgument, mqttProtocolError } from '../errors.ts';
import type { RouteProblem } from '@vantage/routing';
import type { Faults } from '../faults/faults.ts';
import type { Certificates } from '../state/certificates.ts';
import type { StateDatabase } from '../state/database.ts';
import { identityName, type IdentityStore } from '../state/identities.ts';
import type { TwinChange, TwinStore } from '../twin/store.ts';
import type { HubAccess, TokenGrant } from './access.ts';
import { admit, maySubscribeAs, splitName } from './admission.ts';
import { Connections, type Connection, type ConnectionListener } from './connections.ts';
import { TWIN_CHANGE, type HubMessage, type UpstreamMessage } from './message.ts';
import type { MessageCounts } from './message-counts.ts';
import { Messaging, type IncomingMessage, type MessagingLimits } from './messaging.ts';
import { DesiredUpdates } from './desired-updates.ts';
import { HubState, type ClientState } from './hub-state.ts';
import { DirectMethods } from './methods.ts';
import { DEFAULT_LISTEN_ADDRESS, MqttServer, type InboundPublish, type MqttPolicy } from './mqtt-server.ts';
import { SessionStore } from './sessions.ts';
import { PublishTopics, type PropertyBag } from './topics.ts';
import { TwinRequests } from './twin-requests.ts';
import type { UpstreamStore } from './upstream-store.ts';

export interface EdgeHubOptions extends MessagingLimits {
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
  readonly #messaging: Messaging;
  readonly #state: HubState;
  readonly #ended = new AbortController();
  readonly #topics = new PublishTopics();
  readonly #grants = new WeakMap<Client, TokenGrant>();
  #mqtt: MqttServer | undefined;
  #connections: Connections | undefined;
  #updates: DesiredUpdates | undefined;
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
    this.#messaging = new Messaging({
      ...options,
      limits: options,
      state: this.#state,
      edgeDeviceId: options.identities.hub.deviceId,
      taken: (message) => this.emit('message', message),
      arrived: (messages) => {
        for (const message of messages) this.emit('upstream', message);
      },
    });
  }

  get methods(): DirectMethods {
    if (this.#methods === undefined) throw invalidArgument('the hub is not running');
    return this.#methods;
  }

  /** What became of messages, and what waits. */
  get counts(): MessageCounts {
    return this.#messaging.counts;
  }

  /** What left for the cloud. */
  get cloud(): UpstreamStore {
    return this.#messaging.cloud;
  }

  clientState(name: string): ClientState | undefined {
    return this.#state.client(name);
  }

  /** All clients that came since the start, by name. */
  clients(): [name: string, state: ClientState][] {
    return this.#state.clients();
  }

  /** Aborts when the hub stops. */
  get ended(): AbortSignal {
    return this.#ended.signal;
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
      const { certificates, identities, access, faults, twins, database } = this.#options;
      const sessions = this.#sessions;
      const logger = this.#logger;
      this.#mqtt = await MqttServer.create(certificates, sessions, this.#policy(), logger);
      const connections = new Connections({
        broker: this.#mqtt.aedes,
        ...{ sessions, access, faults, logger },
        edgeDeviceId: identities.hub.deviceId,
        listener: this.#listener(),
        grantOf: (client) => this.#grants.get(client),
      });
      this.#connections = connections;
      this.#updates = new DesiredUpdates({ database, twins, sessions, connections, logger });
      this.#updates.open();
      this.#methods = new DirectMethods(connections);
      this.#twinRequests = new TwinRequests(twins, connections, this.#updates);
    }
    return this.#mqtt.listen(port, this.#options.listenAddress ?? DEFAULT_LISTEN_ADDRESS);
  }

  /** Loads what was waiting, and the routes. */
  load(): void {
    const { twins, identities } = this.#options;
    this.#messaging.start({
      get: (name) => this.#connections?.get(name),
      send: (...packet) => this.#connections?.send(...packet),
    });
    twins.on('change', this.#onTwinChange);
    const { desired, desiredVersion } = twins.get(identityName(identities.hub.deviceId, '$edgeHub'));
    if (Object.keys(desired).length > 0) this.#state.configure(desired, desiredVersion);
  }

  /** Takes clients from now on. */
  open(): void {
    if (this.#mqtt !== undefined) this.#mqtt.ready = true;
  }

  /** Speaks MQTT with a client on a stream that somebody else accepted, a WebSocket of the service API's port. */
  accept(stream: Duplex, request: HttpRequest): void {
    if (this.#mqtt === undefined) stream.destroy();
    else this.#mqtt.accept(stream, request);
  }

  /** Breaks all connections and opens the broker's port again, as a restart of the broker alone would. */
  async restartBroker(): Promise<void> {
    await this.#mqtt?.restart();
  }

  /** Refuses every token that was presented so far, and closes the connections of those who came with one. Yields how many. */
  expireTokens(): number {
    this.#options.access.expireTokens();
    return this.#connections?.closeUnentitled() ?? 0;
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    this.#options.twins.off('change', this.#onTwinChange);
    this.#connections?.stop();
    this.#methods?.stop();
    await this.#mqtt?.close();
    this.#mqtt = undefined;
    await this.#state.settled();
    await this.#messaging.stop();
  }

  /** A device or module is gone: its connection, its session and what waits for it go too. */
  async forget(name: string): Promise<void> {
    this.#connections?.drop(name);
    this.#updates?.forget(name);
    await this.#messaging.forget(name);
    await this.#sessions.forget(name);
    this.#state.forget(name);
  }

  /** Routes a message as if a client had sent it. Resolves when it is safe. @throws VantageError as {@link Messaging.send} */
  send(message: IncomingMessage): Promise<void> {
    return this.#messaging.send(message);
  }

  #policy(): MqttPolicy {
    const { access } = this.#options;
    return {
      isReachable: (clientId) => !access.isCut(...splitName(clientId)),
      authenticate: (client, username, password) => {
        this.#grants.set(client, admit(access, client.id, username, password));
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
        this.#messaging.disconnected(name);
        this.#updates?.disconnected(name);
        this.emit('client', name, this.#state.clientIs(name, 'Disconnected'));
      },
      ready: (connection: Connection, what) => {
        if (what === 'inputs') this.#messaging.ready(connection.name);
        else if (what === 'methods') this.#methods?.ready(connection.name);
        else this.#updates?.ready(connection);
      },
      acknowledged: (connection, token) => {
        this.#updates?.acknowledged(connection.name, token);
        this.#messaging.acknowledged(connection.name, token);
      },
    };
  }

  async #publish(clientId: string, packet: InboundPublish): Promise<void> {
    const topic = this.#topics.parse(packet.topic);
    switch (topic.kind) {
      case 'telemetry':
        if (identityName(topic.deviceId, topic.moduleId) !== clientId) {
          throw mqttProtocolError(`"${clientId}" may not send for "${identityName(topic.deviceId, topic.moduleId)}"`);
        }
        return this.#telemetry(topic.deviceId, topic.moduleId, topic.bag, packet.payload);
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

  #telemetry(deviceId: string, moduleId: string, { properties, system }: PropertyBag, body: Buffer): Promise<void> {
    return this.send({ deviceId, moduleId, output: system['on'] ?? '', properties, system, body, twinChange: false });
  }

  #twinChanged(change: TwinChange): void {
    const { hub } = this.#options.identities;
    if (change.part === 'reported') {
      this.#notifyTwinChange(change);
      return;
    }
    this.#updates?.changed(change);
    if (change.name === identityName(hub.deviceId, '$edgeHub')) {
      this.#state.configure(this.#options.twins.get(change.name).desired, change.version);
    }
  }

  /** Reported properties of modules are messages too, for routes that ask for them. */
  #notifyTwinChange(change: TwinChange): void {
    const [deviceId = '', moduleId = ''] = change.name.split('/');
    if (moduleId.startsWith('$')) return;
    const system = { ct: 'application/json', ce: 'utf-8', schema: TWIN_CHANGE };
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
