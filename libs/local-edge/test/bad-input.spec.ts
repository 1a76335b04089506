import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Message, type ModuleClient } from 'azure-iot-device';
import mqtt from 'mqtt';
import type { EdgeRuntime } from '../src/index.ts';
import { ROUTES, after, cleanUp, next, openModule, startRuntime } from './harness.ts';

let runtime: EdgeRuntime;
let good: ModuleClient;
beforeEach(async () => {
  runtime = await startRuntime();
  await runtime.patchDesired('$edgeHub', ROUTES);
  good = await openModule(runtime, 'a');
});
afterEach(cleanUp);

/** The one who did nothing wrong notices nothing: same connection, messages and twins as before. */
async function othersGoOn(): Promise<void> {
  const upstream = next(runtime, 'upstream');
  await good.sendOutputEvent('up', new Message('fine'));
  expect(await upstream).toEqual([expect.objectContaining({ body: Buffer.from('fine') })]);
  expect(runtime.clientState('a')).not.toHaveProperty('lastDisconnectedTimeUtc');
}

async function tlsSocket(port: number): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: await readFile(runtime.caFile) });
  after(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

describe('the MQTT port', () => {
  test.each([
    ['bytes that are no MQTT', Buffer.from('\xff\xfe\x00garbage'.repeat(50), 'latin1')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a packet before CONNECT', Buffer.from([0x30, 0x05, 0x00, 0x01, 0x61, 0x62, 0x63])],
    ['a length that never ends', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 0xff])],
    ['CONNECT of an unknown protocol', Buffer.from([0x10, 0x0c, 0, 4, 0x4d, 0x51, 0x54, 0x58, 9, 2, 0, 60, 0, 0])],
  ])('%s: that connection ends, nothing else', async (_, bytes) => {
    const socket = await tlsSocket(runtime.ports.mqtt);
    const closed = once(socket, 'close');
    socket.resume().end(bytes);
    await closed;
    await othersGoOn();
  });

  test('plain TCP', async () => {
    const socket = net.connect(runtime.ports.mqtt, '127.0.0.1');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    socket.end('no TLS here\r\n\r\n'.repeat(10));
    socket.resume();
    await closed;
    await othersGoOn();
  });

  test.each(['', 'a/b/c/d', `${'x'.repeat(400)}`, 'vantage-edge/../a', 'vantage-edge/a\u0000'])(
    'the client id %j is refused',
    async (clientId) => {
      const client = mqtt.connect({
        protocol: 'mqtts',
        host: '127.0.0.1',
        port: runtime.ports.mqtt,
        ca: await readFile(runtime.caFile),
        clientId,
        username: 'vantage-hub.local/vantage-edge/a/?api-version=2021-04-12',
        password: 'SharedAccessSignature sr=x&sig=y&se=1',
        clean: true,
        reconnectPeriod: 0,
      });
      after(() => void client.end(true));
      client.on('error', () => undefined);
      const connected = new Promise<string>((resolve) => {
        client.once('connect', () => resolve('connected'));
        client.once('close', () => resolve('refused'));
      });
      expect(await connected).toBe('refused');
      await othersGoOn();
    },
  );
});

describe('a deployment', () => {
  const agent = (modules: object): object => ({
    modulesContent: {
      $edgeAgent: {
        'properties.desired': { schemaVersion: '1.1', runtime: { type: 'docker', settings: {} }, modules },
      },
    },
  });
  const module = { type: 'docker', status: 'running', restartPolicy: 'always', settings: { image: 'x:1' } };

  test.each([
    ['no object', 7],
    ['null', null],
    ['a text', 'deploy me'],
    ['no agent', { modulesContent: {} }],
    ['a module of an unknown type', agent({ m: { ...module, type: 'wasm' } })],
    ['an unknown restart policy', agent({ m: { ...module, restartPolicy: 'sometimes' } })],
    ['an unknown status', agent({ m: { ...module, status: 'perhaps' } })],
    ['no image', agent({ m: { ...module, settings: {} } })],
    ['createOptions that are no JSON', agent({ m: { ...module, settings: { image: 'x:1', createOptions: '{' } } })],
    ['a module name with a slash', agent({ 'a/b': module })],
    ['modules that are a list', agent([module])],
  ])('%s is refused or reported, and changes nothing', async (_, deployment) => {
    const before = runtime.modules();
    const refused = await runtime.applyDeployment(deployment).then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );
    const reported = runtime.twin('$edgeAgent').reported['lastDesiredStatus'] as { code: number } | undefined;
    expect(String(refused ?? reported?.code)).toMatch(/^(EDGE_DEPLOYMENT_INVALID|4\d\d)$/);
    expect(runtime.modules()).toEqual(before);
    await othersGoOn();
  });
});
