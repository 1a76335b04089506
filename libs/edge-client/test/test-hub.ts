import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { Aedes, type Client } from 'aedes';
import { mergeTwin, type TwinObject } from '@vantage/contracts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export async function makeCertificate(): Promise<{ cert: string; key: string }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=localhost',
      notBefore: new Date(Date.now() - 3_600_000),
      notAfter: new Date(Date.now() + 3_600_000),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
      ],
    },
    webcrypto,
  );
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { cert: certificate.toString('pem'), key };
}

export interface HubEvent {
  readonly topic: string;
  readonly payload: string;
}

interface HubEvents {
  connect: [userName: string];
  subscribe: [topic: string];
  event: [HubEvent];
  reported: [TwinObject];
  get: [];
  result: [HubEvent];
}

/** What a test may make the hub do wrong. */
export interface Faults {
  /** CONNACK codes for the next connects. */
  connack: number[];
  /** Statuses of the next twin answers, with an empty body as edgeHub gives them. */
  twinStatus: number[];
  /** Raw bodies of the next twin GET answers. */
  twinBody: string[];
  /** Twin requests go unanswered. */
  twinSilent: boolean;
  /** Events are not acknowledged. */
  holdPuback: boolean;
}

/**
 * The least of an edge hub, made to fail: raw aedes behind TLS, one module, twin answers only to who is subscribed,
 * sessions in memory and gone with each restart.
 */
export class TestHub extends EventEmitter<HubEvents> {
  readonly faults: Faults = { connack: [], twinStatus: [], twinBody: [], twinSilent: false, holdPuback: false };
  readonly events: HubEvent[] = [];
  readonly userNames: string[] = [];
  desired: TwinObject = {};
  reported: TwinObject = {};
  version = 1;
  port = 0;
  readonly #certificate: { cert: string; key: string };
  readonly #sockets = new Set<Socket>();
  #broker: Aedes | undefined;
  #server: Server | undefined;

  constructor(certificate: { cert: string; key: string }) {
    super();
    this.#certificate = certificate;
  }

  /** The environment of the module; the port is known once the hub has been started. */
  env(overrides: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    const caFile = join(mkdtempSync(join(tmpdir(), 'vantage-edge-')), 'ca.pem');
    writeFileSync(caFile, this.#certificate.cert);
    const key = Buffer.from('not a secret').toString('base64');
    return {
      EdgeHubConnectionString: `HostName=hub.local;DeviceId=dev;ModuleId=mod;SharedAccessKey=${key};GatewayHostName=localhost:${this.port}`,
      EdgeModuleCACertificateFile: caFile,
      ...overrides,
    };
  }

  async start(): Promise<void> {
    const broker = await Aedes.createBroker({
      authenticate: (_client, userName, _password, done) => {
        this.userNames.push(String(userName));
        const code = this.faults.connack.shift();
        if (code === undefined) done(null, true);
        else done(Object.assign(new Error(`refused with ${code}`), { returnCode: code as 5 }), false);
      },
      authorizePublish: (client, packet, done) => {
        if (packet.qos === 1 && this.faults.holdPuback) return;
        if (client !== null) this.#onPublish(client, packet.topic, packet.payload.toString());
        done(null);
      },
    });
    broker.on('clientReady', () => this.emit('connect', this.userNames.at(-1) ?? ''));
    broker.on('subscribe', (subscriptions) => {
      for (const { topic } of subscriptions) this.emit('subscribe', topic);
    });
    const server = createServer(this.#certificate, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      broker.handle(socket);
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#broker = broker;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const [broker, server] = [this.#broker, this.#server];
    this.#broker = undefined;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    if (broker !== undefined) await new Promise<void>((resolve) => broker.close(() => resolve()));
  }

  /** Ends the connections, keeps the sessions. */
  kick(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Forgets a subscription of the connected client without telling it, as a hub that lost its storage does. */
  async forget(topic: string): Promise<void> {
    const clients = Object.values((this.#broker as unknown as { clients: Record<string, Client> }).clients);
    for (const client of clients)
      await new Promise<void>((resolve) => client.unsubscribe(topic as never, () => resolve()));
  }

  async patchDesired(patch: TwinObject, announce: TwinObject | string | false = patch): Promise<void> {
    this.desired = mergeTwin(this.desired, patch);
    this.version += 1;
    if (announce === false) return;
    const body = typeof announce === 'string' ? announce : JSON.stringify({ ...announce, $version: this.version });
    await this.publish(`$iothub/twin/PATCH/properties/desired/?$version=${this.version}`, body);
  }

  async publish(topic: string, payload: string, qos: 0 | 1 = 0): Promise<void> {
    const packet = { cmd: 'publish' as const, topic, payload: Buffer.from(payload), qos, retain: false, dup: false };
    await new Promise<void>((resolve, reject) =>
      this.#broker!.publish(packet, (error) => (error ? reject(error) : resolve())),
    );
  }

  async input(name: string, body: string, properties = ''): Promise<void> {
    await this.publish(`devices/dev/modules/mod/inputs/${name}/${properties}`, body, 1);
  }

  async call(method: string, payload: unknown): Promise<{ status: number; payload: unknown }> {
    const result = once(this, 'result');
    await this.publish(`$iothub/methods/POST/${method}/?$rid=7`, JSON.stringify(payload));
    const [event] = (await result) as [HubEvent];
    const status = /^\$iothub\/methods\/res\/(\d+)\/\?\$rid=7$/.exec(event.topic)?.[1];
    return { status: Number(status), payload: JSON.parse(event.payload) };
  }

  #onPublish(_client: Client, topic: string, payload: string): void {
    const request = /^\$iothub\/twin\/(GET|PATCH)\/.*\?\$rid=(.+)$/.exec(topic);
    if (request !== null) this.#answerTwin(request[1]!, request[2]!, payload);
    else if (topic.startsWith('$iothub/methods/res/')) this.emit('result', { topic, payload });
    else {
      this.events.push({ topic, payload });
      this.emit('event', { topic, payload });
    }
  }

  #answerTwin(method: string, rid: string, payload: string): void {
    if (this.faults.twinSilent) return;
    const status = this.faults.twinStatus.shift();
    if (status !== undefined) {
      void this.publish(`$iothub/twin/res/${status}/?$rid=${rid}`, '');
    } else if (method === 'GET') {
      const twin = {
        desired: { ...this.desired, $version: this.version },
        reported: { ...this.reported, $version: 1 },
      };
      void this.publish(`$iothub/twin/res/200/?$rid=${rid}`, this.faults.twinBody.shift() ?? JSON.stringify(twin));
      this.emit('get');
    } else {
      const patch = JSON.parse(payload) as TwinObject;
      this.reported = mergeTwin(this.reported, patch);
      void this.publish(`$iothub/twin/res/204/?$rid=${rid}`, '');
      this.emit('reported', patch);
    }
  }
}
