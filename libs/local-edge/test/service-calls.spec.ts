import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createSasToken } from '../src/hub/sas.ts';
import type { EdgeRuntime } from '../src/index.ts';
import { cleanUp, moduleKey, startRuntime, temporaryFolder } from './harness.ts';
import { raw, type RawAnswer } from './registry-client.ts';
import { rawModule } from './raw-module.ts';

let stateDir: string;
let runtime: EdgeRuntime;
beforeEach(async () => {
  stateDir = await temporaryFolder();
  runtime = await startRuntime({ stateDir });
});
afterEach(cleanUp);

const call = (method: string, path: string, body?: unknown, token?: string): Promise<RawAnswer> =>
  raw(runtime, method, path, {
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(token === undefined ? {} : { token }),
  });

describe('bulk updateTwin', () => {
  const update = (id: string, rest: object): Promise<RawAnswer> =>
    call('POST', '/devices', [{ id, importMode: 'updateTwin', ...rest }]);

  test('merges tags and desired properties of devices and modules, and leaves identities alone', async () => {
    for (const path of ['/devices/d', '/devices/d/modules/m']) await call('PUT', path, {});
    const before = await call('GET', '/devices/d');
    const answer = await call('POST', '/devices', [
      { id: 'd', importMode: 'updateTwin', tags: { site: 'a' }, properties: { desired: { fps: 5 } } },
      { id: 'd', moduleId: 'm', importMode: 'updateTwin', properties: { desired: { x: 1 } } },
    ]);
    expect(answer).toMatchObject({ status: 200, body: { isSuccessful: true, errors: [] } });
    await update('d', { tags: { room: 1 }, properties: { desired: { fps: null } } });
    const { body } = await call('GET', '/twins/d');
    expect(body).toMatchObject({ tags: { site: 'a', room: 1 }, properties: { desired: { $version: 3 } } });
    expect(body).not.toHaveProperty('properties.desired.fps');
    expect(await call('GET', '/twins/d/modules/m')).toMatchObject({ body: { properties: { desired: { x: 1 } } } });
    expect((await call('GET', '/devices/d')).body['etag']).toBe(before.body['etag']);
  });

  test('minds the ETag when it is asked to', async () => {
    await call('PUT', '/devices/d', {});
    const { etag } = (await call('GET', '/twins/d')).body;
    const conditional = { importMode: 'updateTwinIfMatchETag', tags: { a: 1 } };
    expect((await update('d', { ...conditional, eTag: 'other' })).status).toBe(400);
    expect((await call('GET', '/twins/d')).body['tags']).toEqual({});
    expect((await update('d', { ...conditional, eTag: etag })).status).toBe(200);
    expect((await call('GET', '/twins/d')).body['tags']).toEqual({ a: 1 });
  });

  test.each([
    ['an unknown device', 'nobody', { tags: { a: 1 } }, 'nobody'],
    ['an illegal name', 'vantage-edge', { tags: { 'a.b': 1 } }, 'a.b'],
    ['a mode that there is not', 'vantage-edge', { importMode: 'twist' }, 'twist'],
  ])('tells of %s, and does the rest', async (_, id, rest, reason) => {
    await call('PUT', '/devices/good', {});
    const { status, body } = await call('POST', '/devices', [
      { id, importMode: 'updateTwin', ...rest },
      { id: 'good', importMode: 'updateTwin', tags: { done: true } },
    ]);
    expect(status).toBe(400);
    expect(body['errors']).toEqual([
      { deviceId: id, errorCode: expect.any(String), errorStatus: expect.stringContaining(reason) },
    ]);
    expect((await call('GET', '/twins/good')).body['tags']).toEqual({ done: true });
  });
});

test('service statistics count connected devices, not modules', async () => {
  expect((await call('GET', '/statistics/service')).body).toEqual({ connectedDeviceCount: 0 });
  await rawModule(runtime, stateDir, 'm');
  expect((await call('GET', '/statistics/service')).body).toEqual({ connectedDeviceCount: 0 });
  expect((await call('GET', '/statistics/devices')).body).toMatchObject({ totalDeviceCount: 1 });
});

test('a module asks for a place for its file with its own token, and for nobody else', async () => {
  await runtime.stop();
  const key = Buffer.alloc(64, 1).toString('base64');
  const account = `DefaultEndpointsProtocol=https;AccountName=store;AccountKey=${key};BlobEndpoint=https://localhost:1/store;`;
  runtime = await startRuntime({ stateDir, storageConnectionString: account });
  await runtime.moduleEnvironment('m');
  const { deviceId } = runtime;
  const expiry = Math.floor(Date.now() / 1000) + 600;
  const token = createSasToken(
    encodeURIComponent(`localhost/devices/${deviceId}/modules/m`),
    moduleKey(stateDir, 'm'),
    expiry,
  );
  expect((await call('POST', `/devices/${deviceId}/modules/other/files`, { blobName: 'a' }, token)).status).toBe(401);
  expect((await call('POST', `/devices/${deviceId}/modules/m/files`, { blobName: '' }, token)).status).toBe(400);
});

describe('testQueries', () => {
  const ask = async (body: unknown): Promise<unknown> => (await call('POST', '/configurations/testQueries', body)).body;

  test.each([
    ["tags.site = 'a' AND properties.reported.ok = true", {}],
    ['*', {}],
    ["FROM devices.modules WHERE moduleId = 'm'", {}],
    ['', { errors: 'SELECT deviceId FROM devices WHERE tags.x > 1' }],
  ])('finds nothing wrong with %j', async (targetCondition, customMetricQueries) => {
    expect(await ask({ targetCondition, customMetricQueries })).toEqual({
      targetConditionError: '',
      customMetricQueryErrors: {},
    });
  });

  test('says where a condition and metrics are wrong, and makes nothing', async () => {
    const answer = await ask({
      targetCondition: 'tags.site =',
      customMetricQueries: { good: 'SELECT deviceId FROM devices', bad: 'SELECT', number: 7 },
    });
    expect(answer).toEqual({
      targetConditionError: expect.stringContaining('column 12'),
      customMetricQueryErrors: { bad: expect.stringContaining('column 7'), number: expect.any(String) },
    });
    expect((await call('GET', '/configurations')).body).toEqual([]);
  });

  test.each([
    ['no object', 7],
    ['a list', []],
  ])('refuses %s', async (_, body) => {
    expect((await call('POST', '/configurations/testQueries', body)).status).toBe(400);
  });
});
