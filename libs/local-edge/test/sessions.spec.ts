import { connect } from 'node:tls';
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Logger } from '@vantage/observability';
import type mqtt from 'mqtt';
import { createSasToken } from '../src/hub/sas.ts';
import type { EdgeRuntime } from '../src/index.ts';
import { after, cleanUp, moduleKey, next, rawClient, startRuntime, temporaryFolder } from './harness.ts';

afterEach(cleanUp);

const DESIRED = '$iothub/twin/PATCH/properties/desired/#';

interface Hub {
  readonly runtime: EdgeRuntime;
  readonly key: string;
  readonly stateDir: string;
  readonly warnings: string[];
}

async function hubWithModule(stateDir?: string): Promise<Hub> {
  const folder = stateDir ?? (await temporaryFolder());
  const warnings: string[] = [];
  const log = (message: string, fields?: Record<string, unknown>): void => {
    warnings.push(`${message}: ${String(fields?.['reason'])}`);
  };
  const silent = (): void => undefined;
  const logger: Logger = {
    error: log,
    warn: log,
    info: silent,
    debug: silent,
    trace: silent,
    child: () => logger,
  };
  const runtime = await startRuntime({ stateDir: folder, logger });
  await runtime.moduleEnvironment('m');
  return { runtime, key: moduleKey(folder, 'm'), stateDir: folder, warnings };
}

/** Desired patches as they come, and how to wait for one. */
function patchesOf(client: mqtt.MqttClient): { all: unknown[]; until(version: number): Promise<void> } {
  const all: { $version: number }[] = [];
  client.on('message', (topic, body) => {
    if (topic.startsWith('$iothub/twin/PATCH/')) all.push(JSON.parse(body.toString()) as { $version: number });
  });
  return {
    all,
    async until(version) {
      while (!all.some((patch) => patch.$version === version)) await next(client, 'message');
    },
  };
}

async function connected(runtime: EdgeRuntime, key: string): Promise<mqtt.MqttClient> {
  const client = await rawClient(runtime, key);
  await next(client, 'connect');
  return client;
}

async function left(client: mqtt.MqttClient): Promise<void> {
  const closed = next(client, 'close');
  client.end();
  await closed;
}

async function away(runtime: EdgeRuntime): Promise<void> {
  while (runtime.clientState('m')?.status === 'Connected') await next(runtime, 'client');
}

describe('desired changes while a client is away', () => {
  test('come once, merged, with the newest version, also over a restart', async () => {
    const { runtime, key, stateDir } = await hubWithModule();
    await runtime.patchDesired('m', { keep: 1, gone: 1, deep: { a: 1, b: 1 } });
    const first = await connected(runtime, key);
    await first.subscribeAsync(DESIRED);
    await left(first);
    await away(runtime);
    await runtime.patchDesired('m', { x: 1, gone: null, deep: { a: 2 } });
    await runtime.stop();

    const again = await hubWithModule(stateDir);
    await again.runtime.patchDesired('m', { x: 2, deep: null });
    await again.runtime.patchDesired('m', { deep: { c: 1 } });
    const second = await connected(again.runtime, key);
    const patches = patchesOf(second);
    await second.subscribeAsync(DESIRED);
    await patches.until(5);
    expect(patches.all).toEqual([{ x: 2, gone: null, deep: { a: null, b: null, c: 1 }, $version: 5 }]);

    // Delivered is delivered: the next connection gets only what is new.
    await left(second);
    await away(again.runtime);
    const third = await connected(again.runtime, key);
    const later = patchesOf(third);
    await third.subscribeAsync(DESIRED);
    await again.runtime.patchDesired('m', { x: 3 });
    await later.until(6);
    expect(later.all).toEqual([{ x: 3, $version: 6 }]);
  });

  test('do not come when the client reads its twin before', async () => {
    const { runtime, key, stateDir } = await hubWithModule();
    await (await connected(runtime, key)).subscribeAsync(DESIRED);
    await runtime.stop();
    const again = (await hubWithModule(stateDir)).runtime;
    await again.patchDesired('m', { x: 1 });
    const second = await connected(again, key);
    const answer = next(second, 'message');
    second.publish('$iothub/twin/GET/?$rid=1', ' ');
    const [, body] = (await answer) as [string, Buffer];
    expect(JSON.parse(body.toString())).toMatchObject({ desired: { x: 1, $version: 2 } });
    const patches = patchesOf(second);
    await second.subscribeAsync(DESIRED);
    await again.patchDesired('m', { x: 2 });
    await patches.until(3);
    expect(patches.all).toEqual([{ x: 2, $version: 3 }]);
  });
});

describe('faults', () => {
  test('the network of a module is cut at once, and opens again', async () => {
    const { runtime, key } = await hubWithModule();
    const client = await connected(runtime, key);
    const closed = next(client, 'close');
    runtime.faults.set({ kind: 'network', module: 'm' });
    await closed;
    const refused = await rawClient(runtime, key);
    const connacks: unknown[] = [];
    refused.on('packetreceive', (packet) => connacks.push(packet));
    await next(refused, 'close');
    expect(connacks).toEqual([]);
    runtime.faults.clear('network', 'm');
    await connected(runtime, key);
  });

  test('a delay keeps the order, also when it ends', async () => {
    const { runtime, key } = await hubWithModule();
    const client = await connected(runtime, key);
    await client.subscribeAsync(DESIRED);
    const patches = patchesOf(client);
    runtime.faults.set({ kind: 'delay', module: 'm', ms: 150 });
    const begin = performance.now();
    await runtime.patchDesired('m', { n: 1 });
    await runtime.patchDesired('m', { n: 2 });
    runtime.faults.clear();
    await runtime.patchDesired('m', { n: 3 });
    await patches.until(4);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(150);
    expect(patches.all).toEqual([
      { n: 1, $version: 2 },
      { n: 2, $version: 3 },
      { n: 3, $version: 4 },
    ]);
  });

  test('a deaf twin gets neither answers nor changes; the changes come with the next connection', async () => {
    const { runtime, key } = await hubWithModule();
    const client = await connected(runtime, key);
    await client.subscribeAsync(DESIRED);
    const heard: string[] = [];
    client.on('message', (topic) => heard.push(topic));
    runtime.faults.set({ kind: 'twin', module: 'm' });
    client.publish('$iothub/twin/GET/?$rid=1', ' ');
    await runtime.patchDesired('m', { n: 1 });
    await expect(runtime.invokeMethod('m', { methodName: 'x', responseTimeoutMs: 10 })).rejects.toMatchObject({
      code: 'EDGE_METHOD_TARGET_OFFLINE',
    });
    // A PUBACK comes after everything that was asked for before.
    await client.publishAsync('devices/vantage-edge/modules/m/messages/events/', 'x', { qos: 1 });
    expect(heard).toEqual([]);
    runtime.faults.clear();
    await left(client);
    const second = await connected(runtime, key);
    const patches = patchesOf(second);
    await second.subscribeAsync(DESIRED);
    await patches.until(2);
    expect(patches.all).toEqual([{ n: 1, $version: 2 }]);
  });

  test('a restart of the broker keeps sessions and the port', async () => {
    const { runtime, key } = await hubWithModule();
    const client = await connected(runtime, key);
    await client.subscribeAsync(DESIRED);
    const { mqtt: port } = runtime.ports;
    const closed = next(client, 'close');
    await runtime.restartBroker();
    await closed;
    await runtime.patchDesired('m', { n: 1 });
    expect(runtime.ports.mqtt).toBe(port);
    const second = await rawClient(runtime, key);
    const patches = patchesOf(second);
    const [connack] = await next(second, 'connect');
    expect(connack).toMatchObject({ sessionPresent: true });
    await patches.until(2);
    expect(patches.all).toEqual([{ n: 1, $version: 2 }]);
  });
});

describe('tokens', () => {
  const token = (key: string, validSec: number): string =>
    createSasToken(
      encodeURIComponent('vantage-hub.local/devices/vantage-edge/modules/m'),
      key,
      Math.floor(Date.now() / 1000) + validSec,
    );

  test('end their connection by the clock of the hub, after a grace of ten seconds', async () => {
    const { runtime, key } = await hubWithModule();
    const client = await rawClient(runtime, key, { password: token(key, 600) });
    await next(client, 'connect');
    runtime.faults.set({ kind: 'clock', ms: 605_000 });
    expect(runtime.clientState('m')?.status).toBe('Connected');
    const [error] = (await next(await rawClient(runtime, key, { password: token(key, 600) }), 'error')) as [
      { code: number },
    ];
    expect(error.code).toBe(5);
    const closed = next(client, 'close');
    runtime.faults.set({ kind: 'clock', ms: 611_000 });
    await closed;
  });

  test('that were presented are refused after expireTokens, a new one is taken', async () => {
    const { runtime, key } = await hubWithModule();
    const password = token(key, 600);
    const client = await rawClient(runtime, key, { password });
    await next(client, 'connect');
    const closed = next(client, 'close');
    expect(runtime.expireTokens()).toBe(1);
    await closed;
    const [error] = (await next(await rawClient(runtime, key, { password }), 'error')) as [{ code: number }];
    expect(error.code).toBe(5);
    await next(await rawClient(runtime, key, { password: token(key, 700) }), 'connect');
  });
});

describe('malformed input', () => {
  test.each<[string, Buffer]>([
    ['bytes of nothing', Buffer.alloc(200, 0xff)],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a packet of 200 MB announced', Buffer.from([0x30, 0xff, 0xff, 0xff, 0x5f, 0, 1, 0x61])],
    ['a PUBLISH before CONNECT', Buffer.from([0x30, 0x03, 0x00, 0x01, 0x61])],
    ['a CONNECT of MQTT 5', Buffer.from([0x10, 0x0d, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 60, 0, 0, 0])],
    ['a CONNECT without user name', Buffer.from([0x10, 0x0d, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 60, 0, 1, 0x61])],
  ])('%s: the connection is closed with a sentence in the log', async (_what, bytes) => {
    const { runtime, warnings } = await hubWithModule();
    const socket = connect({ host: '127.0.0.1', port: runtime.ports.mqtt, ca: await readFile(runtime.caFile) });
    after(() => {
      socket.destroy();
    });
    await next(socket, 'secureConnect');
    const closed = next(socket, 'close');
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(bytes);
    await closed;
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('undefined');
  });
});
