import { once, type EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createServer, type Server } from 'node:tls';
import { Aedes, type AedesOptions, type PublishPacket, type Client } from 'aedes';
import { codeOf, messageOf, VantageError } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { mqttProtocolError, portInUse } from '../errors.ts';
import type { Certificates } from '../state/certificates.ts';
import type { SessionStore } from './sessions.ts';

/** What an MQTT PUBLISH of a client carries. */
export interface InboundPublish {
  readonly topic: string;
  readonly payload: Buffer;
}

/** Decides who may connect, subscribe and publish; throws to refuse. */
export interface MqttPolicy {
  /** Whether a client can be reached at all; the connection of one that cannot breaks before its CONNACK. */
  isReachable(clientId: string): boolean;
  /** Throws {@link ConnectRefused}. */
  authenticate(client: Client, username: string, password: string): void;
  maySubscribe(clientId: string, filter: string): boolean;
  /** Resolves when the message is safe: only then its PUBACK goes out. A rejection closes the connection. */
  publish(clientId: string, packet: InboundPublish): Promise<void>;
}

/** The largest body of IoT Hub, the longest topic of MQTT, and the rest of a PUBLISH. */
const MAX_PACKET_BYTES = 262_144 + 65_535 + 16;

/** A refused CONNECT and its CONNACK code: 2 identifier, 3 unavailable, 4 bad user name or password, 5 not authorized. */
export class ConnectRefused extends Error {
  readonly returnCode: 2 | 3 | 4 | 5;

  constructor(returnCode: 2 | 3 | 4 | 5, message: string) {
    super(message);
    this.name = 'ConnectRefused';
    this.returnCode = returnCode;
  }
}

/**
 * The MQTT 3.1.1 broker behind TLS. Knows the protocol, not the dialect: what clients may do is the policy's.
 *
 * It listens before it is `ready` and refuses with code 3 until then, which the SDK retries; a refused TCP connection
 * at first connect it does not (contract iot-edge-runtime 0.4).
 */
export class MqttServer {
  readonly aedes: Aedes;
  ready = false;
  readonly #server: Server;
  readonly #streams = new Set<Duplex>();
  #address: { readonly port: number; readonly host: string } | undefined;

  private constructor(aedes: Aedes, server: Server) {
    this.aedes = aedes;
    this.#server = server;
    server.on('connection', (socket: Duplex) => {
      this.#track(socket);
    });
    server.on('secureConnection', (socket) => {
      this.accept(socket);
    });
  }

  static async create(
    certificates: Certificates,
    sessions: SessionStore,
    policy: MqttPolicy,
    logger: Logger,
  ): Promise<MqttServer> {
    const options: AedesOptions = {
      persistence: sessions,
      maxClientsIdLength: 300,
      queueLimit: 1000,
      preConnect: (_client, packet, done) => {
        if (policy.isReachable((packet as { clientId?: string }).clientId ?? '')) done(null, true);
        else done(new Error('the network of the client is cut by a fault'), false);
      },
      authenticate: (client, username, password, done) => {
        if (!mqtt.ready) {
          done(new ConnectRefused(3, 'the edge hub is starting or stopping'), null);
          return;
        }
        try {
          policy.authenticate(client, username ?? '', password?.toString('utf8') ?? '');
          done(null, true);
        } catch (error) {
          logger.warn('an MQTT client was refused', { client: client.id, reason: messageOf(error) });
          const refused = error instanceof ConnectRefused ? error : new ConnectRefused(5, messageOf(error));
          done(refused, null);
        }
      },
      authorizeSubscribe: (client, subscription, done) => {
        // Refused with 128 in the SUBACK; the connection stays.
        const allowed = policy.maySubscribe(client.id, subscription.topic);
        if (!allowed) logger.warn('a subscription was refused', { client: client.id, topic: subscription.topic });
        done(null, allowed ? subscription : null);
      },
      authorizePublish: (client, packet, done) => {
        acceptPublish(policy, client, packet).then(
          () => {
            done(null);
          },
          (error: unknown) => {
            const code = VantageError.is(error) ? error.code : undefined;
            const reason = messageOf(error);
            logger.warn('a message was refused', { client: client?.id, topic: packet.topic, code, reason });
            done(error instanceof Error ? error : new Error(reason));
          },
        );
      },
    };
    const aedes = await Aedes.createBroker(options);
    aedes.publish = onlyOwnPublishes(aedes);
    const server = createServer({ key: certificates.key, cert: certificates.cert, noDelay: true });
    server.on('tlsClientError', (error) => {
      logFailure(logger, 'a TLS handshake failed', error, {});
    });
    // Without a listener these would end the process; aedes closes the connection itself.
    for (const event of ['clientError', 'connectionError'] as const) {
      aedes.on(event, (client, error) => {
        logFailure(logger, 'an MQTT connection failed', error, { client: client.id });
      });
    }
    const mqtt = new MqttServer(aedes, server);
    return mqtt;
  }

  /** Port 0 takes a free one. Yields the port. */
  async listen(port: number, host: string): Promise<number> {
    const bound = await listenOn(this.#server, port, host, 'MQTT');
    this.#address = { port: bound, host };
    return bound;
  }

  /** Speaks MQTT on a stream that came from somewhere: a TLS socket, or a WebSocket with its `request`. */
  accept(stream: Duplex, request?: IncomingMessage): void {
    this.#track(stream);
    // aedes takes any duplex stream; its types ask for a socket.
    const client = this.aedes.handle(stream, request);
    refuseHugePackets(client);
  }

  /** Breaks all connections and opens the port again. Sessions, and all that waits, stay. */
  async restart(): Promise<void> {
    const address = this.#address;
    if (address === undefined || !this.#server.listening) return;
    await this.#closeServer();
    await listenOn(this.#server, address.port, address.host, 'MQTT');
  }

  async close(): Promise<void> {
    this.ready = false;
    const closed = this.#closeServer();
    await new Promise<void>((resolve) => {
      this.aedes.close(resolve);
    });
    await closed;
  }

  #track(stream: Duplex): void {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
  }

  async #closeServer(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : Promise.resolve();
    this.#server.close();
    for (const stream of this.#streams) stream.destroy();
    await closed;
  }
}

export const DEFAULT_LISTEN_ADDRESS = '127.0.0.1';

/** Starts a server; a taken port becomes EDGE_PORT_IN_USE. Yields the port. */
export async function listenOn(server: Server, port: number, address: string, purpose: string): Promise<number> {
  server.listen(port, address);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw portInUse(port, purpose, error);
    throw error;
  }
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no port');
  return bound.port;
}

function acceptPublish(
  policy: MqttPolicy,
  client: Client | null,
  packet: { topic: string; payload: string | Buffer; qos: number; retain: boolean },
): Promise<void> {
  // A client's will comes without it when the client is gone: the dialect has no wills.
  if (client === null) return Promise.reject(mqttProtocolError('wills are not part of the IoT Hub dialect'));
  if (packet.qos > 1) return Promise.reject(mqttProtocolError('QoS 2 is not part of the IoT Hub dialect'));
  packet.retain = false;
  const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
  return policy.publish(client.id, { topic: packet.topic, payload });
}

/**
 * aedes reads a packet whole before anybody is asked, up to MQTT's 256 MB: breaks the connection as soon as the header
 * announces more than the dialect knows. The parser is aedes' own, which it hides from its types.
 */
function refuseHugePackets(client: Client): void {
  const { _parser: parser } = client as Client & {
    _parser: { parse(bytes: Buffer): number; readonly packet: { readonly length: number } };
  };
  const parse = parser.parse.bind(parser);
  parser.parse = (bytes) => {
    const left = parse(bytes);
    if (parser.packet.length > MAX_PACKET_BYTES) {
      const error = new Error(`a packet of ${parser.packet.length} bytes is larger than ${MAX_PACKET_BYTES}`);
      (client as unknown as EventEmitter).emit('error', error);
    }
    return left;
  };
}

/** Logs why a connection broke, unless that is daily business, a peer that vanished, or was logged as a refusal. */
function logFailure(logger: Logger, what: string, error: Error, fields: Record<string, unknown>): void {
  const isLoss = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(codeOf(error) ?? '');
  const isRefusal = error instanceof ConnectRefused || VantageError.is(error);
  logger[isLoss || isRefusal ? 'debug' : 'warn'](what, { ...fields, reason: error.message });
}

/**
 * What a client sends ends with the policy, which has taken it: no client subscribes to another one's topics, and its
 * way through the broker would cost a tenth of the whole (bench P7). The broker's own messages go on as they did.
 */
function onlyOwnPublishes(aedes: Aedes): Aedes['publish'] {
  const publish = aedes.publish.bind(aedes) as (packet: PublishPacket, ...rest: unknown[]) => void;
  return (packet: PublishPacket, ...rest: unknown[]): void => {
    const [client, done] = rest;
    if (typeof client === 'object' && client !== null && typeof done === 'function')
      (done as (error: null) => void)(null);
    else publish(packet, ...rest);
  };
}
