import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { request } from 'node:http';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Message, ModuleClient, SharedAccessKeyAuthenticationProvider } from 'azure-iot-device';
import { Mqtt, MqttWs } from 'azure-iot-device-mqtt';
import mqtt from 'mqtt';
import { WebSocket as WebSocketOf } from 'ws';
import { createSasToken } from '../src/hub/sas.ts';
import type { EdgeRuntime } from '../src/index.ts';
import {
  after,
  cleanUp,
  closeQuietly,
  fromEnvironment,
  moduleKey,
  next,
  openModule,
  startRuntime,
  temporaryFolder,
  updateReported,
} from './harness.ts';

afterEach(cleanUp);

const ROUTE = {
  schemaVersion: '1.1',
  routes: { back: 'FROM /messages/modules/a/outputs/out INTO BrokeredEndpoint("/modules/a/inputs/in")' },
  storeAndForwardConfiguration: { timeToLiveSecs: 7200 },
};

/** Ports that the SDK gives no choice of; they may be taken, or be root's. */
const free = new Set<number>();

beforeAll(async () => {
  for (const port of [443, 8883]) {
    const server = createTcpServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      free.add(port);
    } catch {
      // Taken, or not ours to bind.
    }
    server.close();
  }
});

function skips(...ports: number[]): boolean {
  const taken = ports.filter((port) => !free.has(port));
  if (taken.length > 0) process.stdout.write(`skipped: port ${taken.join(' and ')} cannot be bound here\n`);
  return taken.length > 0;
}

interface Hub {
  readonly runtime: EdgeRuntime;
  readonly ca: string;
  readonly connectionString: (host: string, gateway?: string) => string;
}

async function startHub(options: Parameters<typeof startRuntime>[0] = {}): Promise<Hub> {
  const stateDir = await temporaryFolder();
  const runtime = await startRuntime({ ...options, stateDir });
  await runtime.patchDesired('$edgeHub', ROUTE);
  await runtime.moduleEnvironment('a');
  const key = moduleKey(stateDir, 'a');
  return {
    runtime,
    ca: await readFile(runtime.caFile, 'utf8'),
    connectionString: (host, gateway) =>
      `HostName=${host};DeviceId=${runtime.deviceId};ModuleId=a;SharedAccessKey=${key}` +
      (gateway === undefined ? '' : `;GatewayHostName=${gateway}`),
  };
}

async function openWith(hub: Hub, text: string, transport: typeof Mqtt = Mqtt): Promise<ModuleClient> {
  const client = ModuleClient.fromConnectionString(text, transport);
  after(() => closeQuietly(client));
  await client.setOptions({ ca: hub.ca });
  await client.open();
  return client;
}

/** Unlike `once` it does not mind an error before. */
const closeOf = (client: mqtt.MqttClient): Promise<void> => new Promise((resolve) => client.once('close', resolve));

/** All that contract E.2 names: twin, desired event, report, output, input, method, and again after a broken connection. */
async function exercise(runtime: EdgeRuntime, client: ModuleClient): Promise<void> {
  client.onMethod('echo', (call, response) => {
    void response!.send(200, call!.payload);
  });
  const twin = await client.getTwin();
  const desired: unknown[] = [];
  twin.on('properties.desired', (patch: object) => desired.push({ ...patch }));
  const heard = (x: number): Promise<void> =>
    new Promise((resolve) => {
      twin.on('properties.desired', (patch: { x?: number }) => {
        if (patch.x === x) resolve();
      });
    });
  const inputs: string[] = [];
  client.on('inputMessage', (_name: string, message: Message) => {
    inputs.push((message.getData() as Buffer).toString());
    client.emit('test', inputs.length);
  });
  for (const round of [1, 2]) {
    const change = heard(round);
    await runtime.patchDesired('a', { x: round });
    await change;
    await updateReported(twin, { round });
    expect(runtime.twin('a').reported).toEqual({ round });
    const arrived = next(client, 'test');
    await client.sendOutputEvent('out', new Message(`é${round}`));
    await arrived;
    const call = { methodName: 'echo', payload: { round }, connectTimeoutMs: 10_000, responseTimeoutMs: 5000 };
    expect(await runtime.invokeMethod('a', call)).toEqual({ status: 200, payload: { round } });
    if (round === 1) await runtime.restartBroker();
  }
  expect(inputs).toEqual(['é1', 'é2']);
  await client.close();
}

describe('the unmodified ModuleClient of contract E.2', () => {
  test('no gateway, and a gateway, on port 8883', async () => {
    if (skips(8883)) return;
    const hub = await startHub({ mqttPort: 8883 });
    await exercise(hub.runtime, await openWith(hub, hub.connectionString('localhost')));
    await exercise(hub.runtime, await openWith(hub, hub.connectionString('vantage-hub.local', 'localhost')));
  });

  test('a gateway with a port', async () => {
    const hub = await startHub();
    const text = hub.connectionString('vantage-hub.local', `localhost:${hub.runtime.ports.mqtt}`);
    await exercise(hub.runtime, await openWith(hub, text));
  });

  test('a host with a port', async () => {
    const hub = await startHub();
    await exercise(hub.runtime, await openWith(hub, hub.connectionString(`localhost:${hub.runtime.ports.mqtt}`)));
  });

  test('fromEnvironment, the workload API on a Unix socket', async () => {
    const { runtime } = await startHub();
    await exercise(runtime, await openModule(runtime, 'a'));
  });

  test('fromEnvironment, the workload API over HTTP', async () => {
    const { runtime } = await startHub();
    const environment = await runtime.moduleEnvironment('a');
    const socketPath = environment['IOTEDGE_WORKLOADURI']!.replace('unix://', '');
    const forwarder = createServer((incoming, response) => {
      const { method, url: path, headers } = incoming;
      incoming.pipe(
        request({ socketPath, method, path, headers }, (answer) => {
          response.writeHead(answer.statusCode!, answer.headers);
          answer.pipe(response);
        }),
      );
    });
    after(() => {
      forwarder.closeAllConnections();
      forwarder.close();
    });
    forwarder.listen(0, '127.0.0.1');
    await once(forwarder, 'listening');
    const { port } = forwarder.address() as AddressInfo;
    const client = await fromEnvironment({ ...environment, IOTEDGE_WORKLOADURI: `http://127.0.0.1:${port}` });
    after(() => closeQuietly(client));
    await client.open();
    await exercise(runtime, client);
  });

  test('fromEnvironment, EdgeHubConnectionString and EdgeModuleCACertificateFile', async () => {
    const hub = await startHub();
    const client = await fromEnvironment({
      EdgeHubConnectionString: hub.connectionString('vantage-hub.local', `localhost:${hub.runtime.ports.mqtt}`),
      EdgeModuleCACertificateFile: hub.runtime.caFile,
    });
    after(() => closeQuietly(client));
    await client.open();
    await exercise(hub.runtime, client);
  });

  test('MQTT over WebSockets on port 443', async () => {
    if (skips(443)) return;
    const hub = await startHub({ hubHostName: 'localhost', apiPort: 443 });
    await exercise(hub.runtime, await openWith(hub, hub.connectionString('localhost'), MqttWs));
  });

  test('is refused by itself when it has no CA', async () => {
    const hub = await startHub();
    const text = hub.connectionString('vantage-hub.local', `localhost:${hub.runtime.ports.mqtt}`);
    const client = ModuleClient.fromConnectionString(text, Mqtt);
    after(() => closeQuietly(client));
    await expect(client.open()).rejects.toMatchObject({
      name: 'UnauthorizedError',
      message: expect.stringContaining('unable to verify the first certificate'),
    });
  });
});

describe('the host names of the hub', () => {
  test('the hub, a gateway and more names can be dialled', async () => {
    const { runtime, ca } = await startHub({
      hubHostName: 'my-hub.example',
      serverNames: ['edge-gateway', '127.0.0.2'],
    });
    for (const servername of ['my-hub.example', 'edge-gateway', 'localhost']) {
      const client = mqtt.connect({
        ...{ protocol: 'mqtts', host: '127.0.0.1', port: runtime.ports.mqtt, ca, servername, reconnectPeriod: 0 },
        ...{ clientId: 'x', username: 'x' },
      });
      after(() => {
        client.end(true);
      });
      // The TLS handshake went well: it is the user name that is refused.
      expect((await next(client, 'error'))[0]).toMatchObject({ code: 4 });
    }
  });
});

describe('MQTT over WebSockets on any port', () => {
  test('carries a session; other paths and sub-protocols are refused', async () => {
    const { runtime, ca, connectionString } = await startHub();
    const key = connectionString('').match(/SharedAccessKey=(.*)$/)![1]!;
    const connect = (path: string, protocol = 'mqtt'): mqtt.MqttClient => {
      const client = mqtt.connect(`wss://localhost:${runtime.ports.api}${path}`, {
        ...{ ca, clientId: `${runtime.deviceId}/a`, reconnectPeriod: 0, clean: false, protocolVersion: 4 },
        username: `vantage-hub.local/${runtime.deviceId}/a/?api-version=2021-04-12`,
        password: createSasToken(
          encodeURIComponent(`vantage-hub.local/devices/${runtime.deviceId}/modules/a`),
          key,
          Math.floor(Date.now() / 1000) + 600,
        ),
        createWebsocket: (url: string) => new WebSocketOf(url, [protocol], { ca }),
      } as mqtt.IClientOptions);
      client.on('error', () => undefined);
      after(() => {
        client.end(true);
      });
      return client;
    };
    const client = connect('/$iothub/websocket?iothub-no-client-cert=true');
    await next(client, 'connect');
    await client.subscribeAsync('devices/vantage-edge/modules/a/inputs/#', { qos: 1 });
    const arrived = next(client, 'message');
    const body = Buffer.alloc(200_000, 7);
    await client.publishAsync('devices/vantage-edge/modules/a/messages/events/%24.on=out/', body, { qos: 1 });
    expect((await arrived)[1]).toEqual(body);
    const closed = closeOf(client);
    runtime.faults.set({ kind: 'network', module: 'a' });
    await closed;
    runtime.faults.clear();
    await closeOf(connect('/mqtt'));
    await closeOf(connect('/$iothub/websocket', 'amqp'));
    await next(connect('/$iothub/websocket'), 'connect');
  });
});

describe('token renewal under load', () => {
  test('loses and doubles nothing', async () => {
    const hub = await startHub();
    const text = hub.connectionString('vantage-hub.local', `localhost:${hub.runtime.ports.mqtt}`);
    const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(text);
    (provider as unknown as { setTokenRenewalValues(valid: number, margin: number): void }).setTokenRenewalValues(5, 4);
    const client = ModuleClient.fromAuthenticationProvider(provider, Mqtt);
    after(() => closeQuietly(client));
    await client.setOptions({ ca: hub.ca });
    let renewals = -1;
    hub.runtime.on('client', (_name, { status }) => {
      if (status === 'Connected') renewals += 1;
    });
    // Counted at the hub: what the SDK gets on inputs while it disconnects it acknowledges and drops by itself.
    const received: string[] = [];
    hub.runtime.on('message', ({ body }) => received.push(body));
    await client.open();
    let sent = 0;
    const sender = async (): Promise<void> => {
      while (renewals < 3) await client.sendOutputEvent('out', new Message(String(sent++)));
    };
    await Promise.all([sender(), sender(), sender(), sender()]);
    provider.stop();
    expect(renewals).toBe(3);
    expect(received.sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: sent }, (_, n) => String(n)));
  });
});
