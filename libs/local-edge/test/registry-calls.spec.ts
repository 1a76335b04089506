import { afterEach, describe, expect, test } from '@jest/globals';
import iothub from 'azure-iothub';
import { cleanUp, openModule, openRegistry, startRuntime } from './harness.ts';
import { bodyOf, pointed, queryAll, raw, serviceToken } from './registry-client.ts';

afterEach(cleanUp);

interface DeviceDocument {
  deviceId: string;
  etag: string;
  status: string;
  statusReason: string | null;
  authentication: { type: string; symmetricKey: { primaryKey: string | null }; x509Thumbprint: object };
  capabilities: { iotEdge: boolean };
}

describe('identities', () => {
  test('are created in bulk, updated, and removed in bulk; each failure is told', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const devices = ['b1', 'b2', 'b3'].map((deviceId) => ({ deviceId }));
    expect(await bodyOf(registry.addDevices(devices))).toEqual({ isSuccessful: true, errors: [], warnings: [] });
    await expect(registry.addDevices([{ deviceId: 'b1' }, { deviceId: 'b4' }])).rejects.toMatchObject({
      name: 'ArgumentError',
      responseBody: expect.stringContaining('"errorCode":"DeviceAlreadyExists"') as unknown,
    });
    expect((await bodyOf<DeviceDocument>(registry.get('b4'))).status).toBe('enabled');

    const off = devices.map((device) => ({ ...device, status: 'disabled' as const }));
    await registry.updateDevices(off, true);
    expect((await bodyOf<DeviceDocument>(registry.get('b2'))).status).toBe('disabled');
    await expect(registry.updateDevices([{ deviceId: 'b1', etag: 'other' }] as never, false)).rejects.toMatchObject({
      responseBody: expect.stringContaining('"errorCode":"PreconditionFailed"') as unknown,
    });
    expect(await bodyOf(registry.getRegistryStatistics())).toEqual({
      totalDeviceCount: 5,
      enabledDeviceCount: 2,
      disabledDeviceCount: 3,
    });
    await registry.removeDevices([...devices, { deviceId: 'b4' }], true);
    expect(await bodyOf<unknown[]>(registry.list())).toHaveLength(1);
  });

  test('keep what a service sets, and ETags guard them', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const key = Buffer.alloc(32, 7).toString('base64');
    await registry.create({
      deviceId: 'd',
      status: 'disabled',
      statusReason: 'in repair',
      authentication: { symmetricKey: { primaryKey: key, secondaryKey: key } },
    });
    const device = await bodyOf<DeviceDocument>(registry.get('d'));
    expect(device).toMatchObject({ status: 'disabled', statusReason: 'in repair' });
    expect(device.authentication.symmetricKey.primaryKey).toBe(key);
    const updated = await bodyOf<DeviceDocument>(registry.update({ deviceId: 'd', status: 'enabled' }));
    expect(updated).toMatchObject({ status: 'enabled', authentication: { symmetricKey: { primaryKey: key } } });
    expect(updated.etag).not.toBe(device.etag);

    await registry.addModule({ deviceId: 'd', moduleId: 'm', managedBy: 'me' });
    const module = await bodyOf<{ etag: string; managedBy: string }>(registry.getModule('d', 'm'));
    expect(module.managedBy).toBe('me');
    const change = { deviceId: 'd', moduleId: 'm', managedBy: 'you' };
    await expect(registry.updateModule({ ...change, etag: 'other' })).rejects.toMatchObject({
      name: 'InvalidEtagError',
    });
    await registry.updateModule({ ...change, etag: module.etag });
    const again = await bodyOf<{ etag: string; managedBy: string }>(registry.getModule('d', 'm'));
    expect(again.managedBy).toBe('you');
    // With an object the SDK works through its callback alone.
    const removed = await new Promise<unknown>((resolve) => {
      registry.removeModule({ ...change, etag: module.etag } as never, resolve as never);
    });
    expect(removed).toMatchObject({ name: 'InvalidEtagError' });
    await registry.removeModule('d', 'm');
    expect(await bodyOf(registry.getModulesOnDevice('d'))).toEqual([]);
    await expect(registry.update({ deviceId: 'none' })).rejects.toMatchObject({ name: 'DeviceNotFoundError' });

    const thumbprints = { primaryThumbprint: 'A'.repeat(40), secondaryThumbprint: 'B'.repeat(40) };
    await registry.create({ deviceId: 'x', authentication: { x509Thumbprint: thumbprints } });
    expect((await bodyOf<DeviceDocument>(registry.get('x'))).authentication).toEqual({
      type: 'selfSigned',
      x509Thumbprint: thumbprints,
      symmetricKey: { primaryKey: null, secondaryKey: null },
    });
  });

  test('an edge device gets its system modules, and neither they nor our own device can be removed', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    await registry.create({ deviceId: 'e', capabilities: { iotEdge: true } });
    const modules = await bodyOf<{ moduleId: string }[]>(registry.getModulesOnDevice('e'));
    expect(modules.map(({ moduleId }) => moduleId)).toEqual(['$edgeAgent', '$edgeHub']);
    await expect(registry.removeModule('e', '$edgeHub')).rejects.toMatchObject({ name: 'ArgumentError' });
    await expect(registry.delete(runtime.deviceId)).rejects.toMatchObject({ name: 'ArgumentError' });
    await registry.delete('e');
  });
});

describe('twins', () => {
  test('of devices are patched by ETag and through the Twin object, which quotes its star', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    await registry.create({ deviceId: 'd' });
    const twin = await bodyOf<iothub.Twin>(registry.getTwin('d'));
    await twin.update({ tags: { site: 'a' } });
    expect(await bodyOf(registry.getTwin('d'))).toMatchObject({ tags: { site: 'a' } });
    await expect(registry.updateTwin('d', { tags: { site: 'b' } }, 'AAAAAAAAAAk=')).rejects.toMatchObject({
      name: 'InvalidEtagError',
    });
    await registry.updateTwin('d', { tags: { site: 'b' } }, '*');
    const path = '/twins/d?api-version=2021-04-12';
    const put = await raw(runtime, 'PUT', path, {
      body: '{"tags":{"only":1},"properties":{"desired":{"a":1}}}',
      headers: { 'if-match': '"*"' },
    });
    expect(put.body).toMatchObject({ tags: { only: 1 }, properties: { desired: { a: 1 } } });
    expect(put.body['tags']).toEqual({ only: 1 });
  });

  test('are queried with conditions, projections, counts and pages', async () => {
    const runtime = await startRuntime();
    const registry = await openRegistry(runtime);
    const ids = Array.from({ length: 7 }, (_, at) => `q${at}`);
    await registry.addDevices(ids.map((deviceId, at) => ({ deviceId, tags: { n: at, site: at < 3 ? 'a' : 'b' } })));
    const found = await queryAll<{ deviceId: string }>(
      registry,
      "SELECT deviceId FROM devices WHERE tags.site = 'b' AND NOT tags.n IN [4]",
    );
    expect(found).toEqual([{ deviceId: 'q3' }, { deviceId: 'q5' }, { deviceId: 'q6' }]);

    const paged = registry.createQuery('SELECT * FROM devices WHERE is_defined(tags.n)', 3);
    const sizes: number[] = [];
    while (paged.hasMoreResults)
      sizes.push(((await paged.nextAsTwin()) as unknown as { result: iothub.Twin[] }).result.length);
    expect(sizes).toEqual([3, 3, 1]);

    expect(
      await queryAll(
        registry,
        'SELECT tags.site AS site, COUNT() AS n FROM devices WHERE is_defined(tags.site) GROUP BY tags.site',
      ),
    ).toEqual([
      { site: 'a', n: 3 },
      { site: 'b', n: 4 },
    ]);
    expect(
      await queryAll(registry, "SELECT moduleId FROM devices.modules WHERE startswith(moduleId, '$edge')"),
    ).toHaveLength(2);
    await expect(registry.createQuery("SELECT * FROM devices WHERE tags.site == 'a'").next()).rejects.toMatchObject({
      name: 'ArgumentError',
      message: expect.stringContaining('column 40') as unknown,
    });
    const headers = { 'x-ms-max-item-count': '0' };
    const body = '{"query":"SELECT * FROM devices"}';
    expect((await raw(runtime, 'POST', '/devices/query', { headers, body })).status).toBe(400);
    expect((await raw(runtime, 'POST', '/devices/query', { headers: { 'x-ms-continuation': 'x' }, body })).status).toBe(
      400,
    );
  });
});

test('direct methods through the Client, and its errors', async () => {
  const runtime = await startRuntime();
  const client = await pointed(iothub.Client.fromConnectionString(runtime.serviceConnectionString), runtime);
  const module = await openModule(runtime, 'm');
  module.onMethod('add', (request, response) => {
    void response!.send(201, { sum: (request!.payload as { a: number }).a + 1 });
  });
  const answer = await client.invokeDeviceMethod(runtime.deviceId, 'm', {
    methodName: 'add',
    payload: { a: 1 },
    connectTimeoutInSeconds: 10,
  });
  expect(answer.result).toEqual({ status: 201, payload: { sum: 2 } });
  await runtime.moduleEnvironment('gone');
  await expect(client.invokeDeviceMethod(runtime.deviceId, 'gone', { methodName: 'x' })).rejects.toMatchObject({
    responseBody: expect.stringContaining('"errorCode":404103') as unknown,
  });
  await expect(client.invokeDeviceMethod('none', { methodName: 'x' })).rejects.toMatchObject({
    name: 'DeviceNotFoundError',
  });
});

test('import and export are refused clearly, and their lists are empty', async () => {
  const runtime = await startRuntime();
  const registry = await openRegistry(runtime);
  await expect(registry.importDevicesFromBlob('https://a/b', 'https://a/c')).rejects.toThrow(
    'not part of the local hub',
  );
  await expect(registry.exportDevicesToBlob('https://a/c', true)).rejects.toThrow('not part of the local hub');
  expect(await bodyOf(registry.listJobs())).toEqual([]);
  await expect(registry.getJob('j')).rejects.toThrow();
  await expect(registry.cancelJob('j')).rejects.toThrow();
});

describe('who may do what', () => {
  test('each policy has the permissions of IoT Hub', async () => {
    const runtime = await startRuntime({ deviceId: 'edge' });
    const calls = [
      ['registryRead', 'GET', '/devices/', 200],
      ['registryRead', 'PUT', '/devices/d', 401],
      ['registryRead', 'GET', '/twins/edge', 401],
      ['registryReadWrite', 'PUT', '/devices/d', 200],
      ['registryReadWrite', 'POST', '/devices/query', 401],
      ['service', 'POST', '/devices/query', 200],
      ['service', 'GET', '/devices/', 401],
      ['service', 'DELETE', '/devices/edge', 401],
      ['device', 'GET', '/devices/', 401],
      ['iothubowner', 'GET', '/configurations', 200],
    ] as const;
    for (const [policy, method, path, status] of calls) {
      const token = serviceToken(runtime.connectionStringOf(policy));
      const hasBody = method === 'POST' || method === 'PUT';
      const answer = await raw(runtime, method, path, {
        token,
        ...(hasBody ? { body: '{"query":"SELECT * FROM devices"}' } : {}),
      });
      expect([policy, method, path, answer.status]).toEqual([policy, method, path, status]);
      if (status === 401) expect(answer.body['Message']).toMatch(/^ErrorCode:IotHubUnauthorized;the policy/);
    }
  });

  test('nothing works without a valid token, and the hub clock ends it', async () => {
    const runtime = await startRuntime();
    const good = serviceToken(runtime.serviceConnectionString);
    const other = runtime.serviceConnectionString.replace(
      /SharedAccessKey=.*/,
      `SharedAccessKey=${Buffer.alloc(32).toString('base64')}`,
    );
    const tokens = [
      '',
      'Bearer x',
      'SharedAccessSignature sr=a',
      serviceToken(other),
      good.replace('iothubowner', 'nobody'),
      serviceToken(runtime.serviceConnectionString, 1000),
    ];
    for (const token of tokens) {
      for (const path of [
        '/devices/',
        '/twins/x',
        '/configurations',
        '/jobs/v2/query',
        '/nowhere',
        '/devices/x/files',
      ]) {
        expect(await raw(runtime, path.endsWith('files') ? 'POST' : 'GET', path, { token })).toMatchObject({
          status: 401,
          errorCode: 'IotHubUnauthorizedAccess',
        });
      }
    }
    expect((await raw(runtime, 'GET', '/devices/', { token: good })).status).toBe(200);
    runtime.faults.set({ kind: 'clock', ms: 3_600_000 });
    expect((await raw(runtime, 'GET', '/devices/', { token: good })).status).toBe(401);
  });
});

test('malformed and oversized requests are refused, and the next one is answered', async () => {
  const runtime = await startRuntime();
  const cases: [method: string, path: string, body: string | Buffer, status: number][] = [
    ['PUT', '/devices/d', '{', 400],
    ['PUT', '/devices/d', '[1]', 400],
    ['PUT', '/devices/a%20b', '{}', 400],
    ['PUT', '/devices/%E0%A4%A', '{}', 400],
    ['PUT', '/devices/d', '{"deviceId":"other"}', 400],
    ['PUT', '/devices/d', '{"authentication":{"symmetricKey":{"primaryKey":"not base64"}}}', 400],
    ['PUT', '/devices/d', '{"status":"broken"}', 400],
    ['POST', '/devices', '{}', 400],
    ['POST', '/devices', '[null, 3, {"id":"x","importMode":"explode"}]', 400],
    ['POST', '/devices/query', '{"query":5}', 400],
    ['POST', '/devices/query', JSON.stringify({ query: `SELECT * FROM devices WHERE ${'('.repeat(4000)}` }), 400],
    ['PATCH', `/twins/${runtime.deviceId}`, '{"tags":3}', 400],
    ['PATCH', `/twins/${runtime.deviceId}`, Buffer.alloc(5 * 1024 * 1024, 32), 413],
    ['POST', `/twins/${runtime.deviceId}/methods`, '{"methodName":"x","responseTimeoutInSeconds":1}', 400],
    ['PUT', '/configurations/Upper', '{"content":{}}', 400],
    ['PUT', '/jobs/v2/j', '{"type":"other"}', 400],
    ['GET', '/somewhere', '', 501],
  ];
  for (const [method, path, body, status] of cases) {
    const answer = await raw(runtime, method, path, { body });
    expect([path, answer.status, answer.body['Message']]).toEqual([
      path,
      status,
      expect.stringMatching(/^ErrorCode:\w+;./),
    ]);
  }
  expect((await raw(runtime, 'GET', '/devices/')).status).toBe(200);
});
