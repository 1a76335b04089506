import { once } from 'node:events';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { Aedes, type AedesOptions, type Client } from 'aedes';
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
  /** Throws {@link ConnectRefused}. */
  authenticate(clientId: string, username: string, password: string): void;
  maySubscribe(clientId: string, filter: string): boolean;
  /** Resolves when the message is safe: only then its PUBACK goes out. A rejection closes the connection. */
  publish(clientId: string, packet: InboundPublish): Promise<void>;
}

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
  readonly #sockets = new Set<TLSSocket>();

  private constructor(aedes: Aedes, server: Server) {
    this.aedes = aedes;
    this.#server = server;
    server.on('secureConnection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      aedes.handle(socket);
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
      authenticate: (client, username, password, done) => {
        if (!mqtt.ready) {
          done(new ConnectRefused(3, 'the edge hub is starting or stopping'), null);
          return;
        }
        try {
          policy.authenticate(client.id, username ?? '', password?.toString('utf8') ?? '');
          done(null, true);
        } catch (error) {
          logger.warn('an MQTT client was refused', { client: client.id, reason: messageOf(error) });
          const refused = error instanceof ConnectRefused ? error : new ConnectRefused(5, messageOf(error));
          done(refused, null);
        }
      },
      authorizeSubscribe: (client, subscription, done) => {
        // Refused with 128 in the SUBACK; the connection stays.
        done(null, policy.maySubscribe(client.id, subscription.topic) ? subscription : null);
      },
      authorizePublish: (client, packet, done) => {
        acceptPublish(policy, client, packet, logger).then(
          () => {
            done(null);
          },
          (error: unknown) => {
            done(error instanceof Error ? error : new Error(messageOf(error)));
          },
        );
      },
    };
    const aedes = await Aedes.createBroker(options);
    const server = createServer({ key: certificates.key, cert: certificates.cert });
    server.on('tlsClientError', (error) => {
      logger.debug('a TLS handshake failed', { error: error.message });
    });
    const mqtt = new MqttServer(aedes, server);
    return mqtt;
  }

  /** Port 0 takes a free one. Yields the port. */
  async listen(port: number, address: string): Promise<number> {
    return listenOn(this.#server, port, address, 'MQTT');
  }

  async close(): Promise<void> {
    this.ready = false;
    const closed = this.#server.listening ? once(this.#server, 'close') : Promise.resolve();
    this.#server.close();
    await new Promise<void>((resolve) => {
      this.aedes.close(resolve);
    });
    for (const socket of this.#sockets) socket.destroy();
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

async function acceptPublish(
  policy: MqttPolicy,
  client: Client | null,
  packet: { topic: string; payload: string | Buffer; qos: number; retain: boolean },
  logger: Logger,
): Promise<void> {
  // A client's will comes without it when the client is gone: the dialect has no wills.
  if (client === null) throw mqttProtocolError('wills are not part of the IoT Hub dialect');
  try {
    if (packet.qos > 1) throw mqttProtocolError('QoS 2 is not part of the IoT Hub dialect');
    packet.retain = false;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    await policy.publish(client.id, { topic: packet.topic, payload });
  } catch (error) {
    const code = VantageError.is(error) ? error.code : undefined;
    logger.warn('a message was refused', { client: client.id, topic: packet.topic, code, reason: messageOf(error) });
    throw error;
  }
}
