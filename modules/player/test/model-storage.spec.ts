import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ModelStorage } from '../src/models/model-storage.ts';
import { startAzurite, type Azurite } from './support/azurite.ts';

/** A device of an IoT Hub cannot read the files of a Player that runs elsewhere. */
describe('a checked model goes to the device through the blob storage', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-model-storage-'));
  const zip = path.join(folder, 'people.zip');
  const bytes = Buffer.from('as good as a zip');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const { signal } = new AbortController();
  let azurite: Azurite;
  let storage: ModelStorage;

  beforeAll(async () => {
    writeFileSync(zip, bytes);
    azurite = await startAzurite(path.join(folder, 'azurite'));
    storage = (await ModelStorage.find({ access: azurite.access, container: 'clips' }, true))!;
  });

  afterAll(async () => {
    await azurite?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('its address reads this one blob, and nothing else', async () => {
    const url = await storage.put(zip, sha256, signal);
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(bytes);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    const signature = new URL(url).search;
    expect(url).toContain(`/models/${sha256}.zip?`);
    expect((await fetch(url.replace(sha256, '0'.repeat(64)))).status).toBe(403);
    expect((await fetch(url.replace(signature, ''))).status).toBe(403);
  });

  test('a model that is there is not sent again', async () => {
    const before = await storage.put(zip, sha256, signal);
    const etag = (await fetch(before)).headers.get('etag');
    rmSync(zip);
    expect((await fetch(await storage.put(zip, sha256, signal))).headers.get('etag')).toBe(etag);
  });

  test.each([
    ['a SAS, which nobody else is given', 'https://account.blob.core.windows.net/?sv=2021&sig=x'],
    [
      'a connection string without a key',
      'BlobEndpoint=https://account.blob.core.windows.net;SharedAccessSignature=sig=x',
    ],
    ['a storage that only this machine reaches', 'loopback'],
    ['no storage', undefined],
  ])('%s: there is no way', async (_, access) => {
    const settings = access && { access: access === 'loopback' ? azurite.access : access, container: 'clips' };
    expect(await ModelStorage.find(settings || undefined)).toBeUndefined();
  });

  test('a storage that is down is told in one sentence', async () => {
    await azurite.stop();
    await expect(storage.put(zip, sha256, signal)).rejects.toMatchObject({
      code: 'BLOB_STORE_FAILED',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
