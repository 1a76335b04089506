import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, expect, test } from '@jest/globals';
import { Client } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { createSasToken } from '../src/hub/sas.ts';
import type { EdgeRuntime } from '../src/index.ts';
import { startAzurite } from './azurite.ts';
import { cleanUp, moduleKey, openRegistry, startRuntime, temporaryFolder } from './harness.ts';
import { agentOf, bodyOf, raw } from './registry-client.ts';

afterEach(cleanUp);

async function keyOf(runtime: EdgeRuntime, deviceId: string): Promise<string> {
  const registry = await openRegistry(runtime);
  await registry.create({ deviceId });
  const device = await bodyOf<{ authentication: { symmetricKey: { primaryKey: string } } }>(registry.get(deviceId));
  return device.authentication.symmetricKey.primaryKey;
}

test('an unmodified device uploads a file to a real Azurite, and the hub hears of it', async () => {
  const stateDir = await temporaryFolder();
  // The first start makes the certificates that Azurite serves https with.
  const first = await startRuntime({ stateDir });
  await first.stop();
  const storageConnectionString = await startAzurite(stateDir);
  const runtime = await startRuntime({ stateDir, storageConnectionString });
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, await readFile(runtime.caFile, 'utf8')]);
  try {
    const key = await keyOf(runtime, 'cam');
    const client = Client.fromConnectionString(`HostName=localhost;DeviceId=cam;SharedAccessKey=${key}`, Mqtt);
    await client.setOptions({ http: { agent: await agentOf(runtime) } });
    const heard = once(runtime, 'fileUpload', { signal: AbortSignal.timeout(20_000) });
    const bytes = Buffer.from('a clip é');
    await client.uploadToBlob('clips/one two.mp4', Readable.from([bytes]) as never, bytes.length);
    const [notification] = (await heard) as [unknown];
    expect(notification).toMatchObject({
      deviceId: 'cam',
      moduleId: '',
      blobName: 'cam/clips/one two.mp4',
      isSuccess: true,
      statusCode: 201,
    });
    expect(runtime.fileNotifications()).toEqual([notification]);
    const container = BlobServiceClient.fromConnectionString(storageConnectionString).getContainerClient('uploads');
    expect(await container.getBlobClient('cam/clips/one two.mp4').downloadToBuffer()).toEqual(bytes);
    await client.close();

    const ofModule = await moduleUpload(runtime, stateDir, 'm');
    expect(ofModule).toMatchObject({ moduleId: 'm', blobName: `${runtime.deviceId}/m/log.txt`, isSuccess: false });
    await runtime.stop();
    await runtime.start();
    expect(runtime.fileNotifications()).toEqual([notification, ofModule]);
  } finally {
    setDefaultCACertificates(before);
  }
}, 60_000);

/** What a module does by hand, since its SDK has no call for it: asks for a place, and says how it went. */
async function moduleUpload(runtime: EdgeRuntime, stateDir: string, moduleId: string): Promise<unknown> {
  await runtime.moduleEnvironment(moduleId);
  const resource = `devices/${runtime.deviceId}/modules/${moduleId}`;
  const expirySec = Math.floor(Date.now() / 1000) + 600;
  const token = createSasToken(encodeURIComponent(`localhost/${resource}`), moduleKey(stateDir, moduleId), expirySec);
  const ask = (path: string, body: object) =>
    raw(runtime, 'POST', `/${resource}/${path}`, { token, body: JSON.stringify(body) });
  const place = await ask('files', { blobName: 'log.txt' });
  expect(place).toMatchObject({ status: 200, body: { blobName: `${runtime.deviceId}/${moduleId}/log.txt` } });
  const { correlationId } = place.body;
  const heard = once(runtime, 'fileUpload', { signal: AbortSignal.timeout(20_000) });
  const told = await ask('files/notifications', { correlationId, isSuccess: false, statusCode: 507 });
  expect(told.status).toBe(204);
  return (await heard)[0];
}

test('without a storage account, or with a wrong request, a device is told why', async () => {
  const runtime = await startRuntime();
  const key = await keyOf(runtime, 'cam');
  const token = createSasToken(encodeURIComponent('localhost/devices/cam'), key, Math.floor(Date.now() / 1000) + 600);
  const ask = (path: string, body: string) => raw(runtime, 'POST', `/devices/${path}`, { token, body });
  expect(await ask('cam/files', '{"blobName":"a"}')).toMatchObject({
    status: 400,
    body: { Message: expect.stringContaining('ErrorCode:StorageNotConfigured;file upload needs') as unknown },
  });
  expect((await ask('other/files', '{"blobName":"a"}')).status).toBe(401);
  expect((await ask('cam/files/notifications', '{"correlationId":"x","isSuccess":true}')).status).toBe(404);
  expect((await ask('cam/files/notifications', '{"correlationId":"x"}')).status).toBe(400);
});
