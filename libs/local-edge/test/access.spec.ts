import { afterEach, describe, expect, test } from '@jest/globals';
import { request, type Agent } from 'node:https';
import { createSasToken } from '../src/hub/sas.ts';
import {
  cleanUp,
  moduleKey,
  next,
  openRegistry,
  rawClient,
  startRuntime,
  temporaryFolder,
  type RawConnect,
} from './harness.ts';
import type { EdgeRuntime } from '../src/index.ts';

afterEach(cleanUp);

async function hubWithModule(): Promise<{ runtime: EdgeRuntime; key: string; foreignKey: string }> {
  const stateDir = await temporaryFolder();
  const runtime = await startRuntime({ stateDir });
  await runtime.moduleEnvironment('m');
  await runtime.moduleEnvironment('other');
  return { runtime, key: moduleKey(stateDir, 'm'), foreignKey: moduleKey(stateDir, 'other') };
}

const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;
const audience = (path: string): string => encodeURIComponent(`vantage-hub.local/devices/${path}`);

describe('CONNECT', () => {
  test('with a good token is taken, also with the host of the gateway', async () => {
    const { runtime, key } = await hubWithModule();
    const password = createSasToken(encodeURIComponent('LOCALHOST:1/devices/vantage-edge/modules/m'), key, inAnHour());
    const [connack] = await next(await rawClient(runtime, key, { password }), 'connect');
    expect(connack).toMatchObject({ returnCode: 0, sessionPresent: false });
  });

  test('is refused with the right code', async () => {
    const { runtime, key, foreignKey } = await hubWithModule();
    const token = (path: string, signer = key, expiry = inAnHour()): string =>
      createSasToken(audience(path), signer, expiry);
    const user = (module: string): string => `vantage-hub.local/vantage-edge/${module}/?api-version=2021-04-12`;
    const refused: [string, number, RawConnect][] = [
      ['another key', 5, { password: token('vantage-edge/modules/m', foreignKey) }],
      ['an expired token', 5, { password: token('vantage-edge/modules/m', key, inAnHour() - 7200) }],
      ['a token for another module', 5, { password: token('vantage-edge/modules/other') }],
      [
        'a token for another hub',
        5,
        { password: createSasToken('evil/devices/vantage-edge/modules/m', key, inAnHour()) },
      ],
      ['no token', 5, { password: 'secret' }],
      ['no password', 4, { password: '' }],
      ['a user name without api-version', 4, { username: 'vantage-hub.local/vantage-edge/m' }],
      [
        'an unknown module',
        5,
        { username: user('x'), clientId: 'vantage-edge/x', password: token('vantage-edge/modules/x') },
      ],
      ['the client id of another', 2, { clientId: 'vantage-edge/other' }],
    ];
    const codes: [string, number][] = [];
    for (const [what, , raw] of refused) {
      const [error] = (await next(await rawClient(runtime, key, raw), 'error')) as [{ code: number }];
      codes.push([what, error.code]);
    }
    expect(codes).toEqual(refused.map(([what, code]) => [what, code]));
  });
});

describe('a connected client', () => {
  test('may subscribe to its own topics only', async () => {
    const { runtime, key } = await hubWithModule();
    const client = await rawClient(runtime, key);
    await next(client, 'connect');
    const filters = [
      'devices/vantage-edge/modules/m/inputs/#',
      '$iothub/twin/res/#',
      'devices/vantage-edge/modules/other/inputs/#',
      '#',
      '$iothub/#',
      '$SYS/#',
    ];
    const granted = await new Promise<(number | undefined)[]>((resolve) => {
      client.subscribe(filters, { qos: 1 }, (_error, _grants, packet) => {
        resolve((packet?.granted ?? []) as number[]);
      });
    });
    expect(granted).toEqual([1, 1, 128, 128, 128, 128]);
  });

  test.each([
    'devices/vantage-edge/modules/other/messages/events/',
    'devices/vantage-edge/modules/m/inputs/in/',
    '$iothub/methods/POST/x/?$rid=1',
    '$iothub/twin/GET/',
    'anything',
  ])('loses its connection when it publishes to %s', async (topic) => {
    const { runtime, key } = await hubWithModule();
    const client = await rawClient(runtime, key);
    await next(client, 'connect');
    const closed = next(client, 'close');
    client.publish(topic, 'x', { qos: 1 });
    await closed;
  });

  test('loses its connection when a message is too large, and nothing of it arrives', async () => {
    const { runtime, key } = await hubWithModule();
    const client = await rawClient(runtime, key);
    await next(client, 'connect');
    const closed = next(client, 'close');
    client.publish('devices/vantage-edge/modules/m/messages/events/', Buffer.alloc(262_145), { qos: 1 });
    await closed;
  });

  test('gets its twin without a subscription, and an error body for what is not JSON', async () => {
    const { runtime, key } = await hubWithModule();
    const client = await rawClient(runtime, key);
    await next(client, 'connect');
    const answer = next(client, 'message');
    client.publish('$iothub/twin/GET/?$rid=7', ' ');
    const [topic, body] = (await answer) as [string, Buffer];
    expect(topic).toBe('$iothub/twin/res/200/?$rid=7');
    expect(JSON.parse(body.toString())).toEqual({ desired: { $version: 1 }, reported: { $version: 1 } });
    const refusal = next(client, 'message');
    client.publish('$iothub/twin/PATCH/properties/reported/?$rid=8', 'not json');
    const [refused, reason] = (await refusal) as [string, Buffer];
    expect(refused).toBe('$iothub/twin/res/400/?$rid=8');
    expect(JSON.parse(reason.toString())).toMatchObject({
      errorCode: 400,
      message: expect.stringContaining('not JSON'),
    });
  });

  test('drops the older connection of the same name', async () => {
    const { runtime, key } = await hubWithModule();
    const first = await rawClient(runtime, key);
    await next(first, 'connect');
    const closed = next(first, 'close');
    const second = await rawClient(runtime, key);
    await next(second, 'connect');
    await closed;
    expect(runtime.clientState('m')?.status).toBe('Connected');
  });
});

describe('the service API', () => {
  test('does nothing without a token of the policy', async () => {
    const { runtime, key } = await hubWithModule();
    const registry = await openRegistry(runtime);
    const { agent } = (registry as unknown as { _restApiClient: { _http: { _options: { http: { agent: Agent } } } } })
      ._restApiClient._http._options.http;
    const call = (authorization?: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = authorization === undefined ? {} : { authorization };
        request({ agent, path: '/devices/vantage-edge/modules', headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await call()).toBe(401);
    expect(await call(createSasToken('localhost', key, inAnHour(), 'iothubowner'))).toBe(401);
    expect(await call(createSasToken(audience('vantage-edge/modules/m'), key, inAnHour()))).toBe(401);
  });
});
