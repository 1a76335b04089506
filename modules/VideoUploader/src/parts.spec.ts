import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, jest, test } from '@jest/globals';
import { codeOf } from '@vantage/contracts';
import { silentLogger } from '@vantage/observability';
import { announcementOf } from './clips/announcement.ts';
import { blobNameOf, factsOf, metadataOf, tagsOf } from './clips/clip-facts.ts';
import { jsonNamesOf, kindOf } from './clips/clip-names.ts';
import { RecordingsFolder } from './clips/recordings.ts';
import { readStorageChoice } from './environment.ts';
import { hubRefused } from './errors.ts';
import { Journal } from './journal.ts';
import { whileBytesFlow } from './storage/patience.ts';
import { TokenBucket } from './storage/token-bucket.ts';
import { troubleOf } from './storage/trouble.ts';

const entry = (frameId: number, label?: string) => ({
  sourceInfo: { id: 'gate', timestamp: '2026-01-02T03:04:05.000Z', frameId },
  type: 'detection',
  detections: label === undefined ? [] : [{ label }],
});

describe('facts of a clip', () => {
  test('placeholders where nothing is known; times without zone are UTC', () => {
    const none = factsOf(undefined, Date.UTC(2026, 0, 1));
    expect(blobNameOf(none, 'x.mp4')).toBe(
      'ResourceGroup/Account/SolutionInstance/SensorName/SkillName/LabelName/x.mp4',
    );
    expect(none).toMatchObject({ date: '2026-01-01T00:00:00.000Z', missing: 'did not find the JSON of this clip' });
    const local = { inferences: [{ sourceInfo: { id: 'a', timestamp: '2023-01-05T10:11:12.123456' } }] };
    expect(factsOf(local, 0).date).toBe('2023-01-05T10:11:12.123Z');
  });

  test('the first label of the clip; no part of a name leaves its folder', () => {
    const facts = factsOf({ inferences: [entry(0), entry(1, '../a/b')] }, 0);
    expect(blobNameOf(facts, 'x.mp4')).toContain('/gate/detection/.._a_b/x.mp4');
    expect(tagsOf({ ...facts, sensor: 'tür&1' })).toEqual({ Sensor: 't_r_1', Date: '2026-01-02T03:04:05.000Z' });
    expect(metadataOf({ ...facts, region: 'Tür' }, 'd')['regionofinterest']).toBe('T\\u00fcr');
  });

  test('metadata stay below what storage takes, also of a clip of which much is told in Chinese', () => {
    const event = { type: '人'.repeat(300), userDefinedData: `${'门'.repeat(5000)}` };
    const sensor = '摄'.repeat(30);
    const facts = factsOf(
      {
        inferences: [{ sourceInfo: { id: sensor } }],
        events: [event],
        regionsOfInterest: [{ label: '区'.repeat(500) }],
      },
      0,
    );
    const metadata = Object.entries(metadataOf(facts, 'd'.repeat(128)));
    expect(metadata.reduce((sum, [key, value]) => sum + key.length + value.length, 0)).toBeLessThan(8192);
    for (const [, value] of metadata) expect(value).toMatch(/^(?:[ -[\]-~]|\\(?!u)|\\u[0-9a-f]{4})*$/);
    expect(metadataOf({ ...facts, region: '🚪' }, 'd')['regionofinterest']).toBe('\\ud83d\\udeaa');
  });

  test.each([
    ['people-2026-01-02-03:04:05.mp4', 'clip'],
    ['people-2026-01-02-03:04:05.overlay.mp4', 'overlay'],
    ['a.json', 'json'],
    ['video-snippet/i/s/d/p-1-2.mp4', 'snippet'],
    ['.a.mp4.part', undefined],
    ['notes.txt', undefined],
  ])('%s is %s', (name, kind) => expect(kindOf(name)).toBe(kind));

  test('a JSON for several cameras, as the original writes it', () => {
    expect(jsonNamesOf('p-2026-01-02-03:04:05_gate_2')).toEqual([
      { name: 'p-2026-01-02-03:04:05_gate_2.json' },
      { name: 'p-2026-01-02-03:04:05.json', sensor: 'gate_2' },
    ]);
  });
});

test('an announcement that is too large keeps every n-th frame and says so', () => {
  const document = {
    schemaVersion: '0.1',
    events: [1],
    inferences: Array.from({ length: 1000 }, (_, n) => entry(n, 'a')),
  };
  const { body, shortened } = announcementOf(document, 20_000)!;
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(20_000);
  const kept = JSON.parse(body) as { events: unknown; inferences: unknown[] };
  expect(kept.events).toEqual([1]);
  expect(shortened).toBe(
    `${kept.inferences.length} of 1000 entries, every ${Math.ceil(1000 / kept.inferences.length)}th frame`,
  );
  expect(announcementOf(document)).toEqual({ body: JSON.stringify(document) });
  expect(announcementOf('no document')).toBeUndefined();
});

test('a rate holds in the long run', () => {
  let now = 0;
  const bucket = new TokenBucket(() => now);
  expect(bucket.take(1e9)).toBe(0);
  bucket.setRate(1000);
  expect([bucket.take(500), bucket.take(500), bucket.take(500)]).toEqual([0, 500, 1000]);
  now = 5000;
  expect(bucket.take(500)).toBe(0);
});

test('bytes that flow are waited for, however slowly; what the system buffers gets the time of a slow line', async () => {
  jest.useFakeTimers();
  const ends: string[] = [];
  let progress: (said: { loadedBytes: number }) => void = () => undefined;
  const sent = whileBytesFlow(
    new AbortController().signal,
    (signal, onProgress) => {
      progress = onProgress;
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    },
    { quietMs: 1000, bytesPerSecond: 100 },
  ).catch((error: unknown) => ends.push(String(codeOf(error))));
  for (const loadedBytes of [10, 100, 200]) {
    await jest.advanceTimersByTimeAsync(900);
    progress({ loadedBytes });
  }
  await jest.advanceTimersByTimeAsync(2900);
  expect(ends).toEqual([]);
  await jest.advanceTimersByTimeAsync(200);
  expect(ends).toEqual(['UPLOAD_STALLED']);
  await sent;
  jest.useRealTimers();
});

test('a journal that is no database is set aside', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-journal-'));
  const file = path.join(folder, 'uploads.db');
  writeFileSync(file, 'no database'.repeat(1000));
  const journal = Journal.open(folder, silentLogger);
  journal.see('a.mp4', 'clip', 1, 1);
  expect(journal.get('a.mp4')).toMatchObject({ state: 'seen' });
  journal.close();
  expect(existsSync(`${file}.corrupt`)).toBe(true);
  rmSync(folder, { recursive: true });
});

test('a clock that was set back makes no file wait for days', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-rest-'));
  writeFileSync(path.join(folder, 'a.mp4'), 'clip');
  let now = Date.now() + 2 * 86_400_000;
  const recordings = new RecordingsFolder(folder, () => now);
  const ready = async () =>
    (
      await recordings.look(
        () => false,
        () => false,
      )
    ).recordings.map((one) => one.ready);
  const made = Date.now();
  utimesSync(path.join(folder, 'a.mp4'), now / 1000, now / 1000);
  expect(await ready()).toEqual([false]);
  now = made;
  expect(await ready()).toEqual([false]);
  now += 20_000;
  expect(await ready()).toEqual([true]);
  rmSync(folder, { recursive: true });
});

describe('trouble', () => {
  const answer = (statusCode: number, code: string, date: string) =>
    Object.assign(new Error('no'), { statusCode, code, response: { headers: { get: () => date } } });

  test.each([
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'storage', 'unreachable'],
    [answer(503, 'ServerBusy', ''), 'storage', 'unreachable'],
    [answer(507, '', ''), 'storage', 'full'],
    [answer(404, 'ContainerNotFound', ''), 'storage', 'refused'],
    [answer(400, 'InvalidHeaderValue', ''), 'file', 'refused'],
  ])('%s', (error, scope, state) => expect(troubleOf(error, 0)).toMatchObject({ scope, state }));

  test('a wrong clock is named', () => {
    const date = 'Sat, 21 Nov 2026 12:00:00 GMT';
    const { message } = troubleOf(answer(403, 'AuthenticationFailed', date), Date.parse(date) - 3_600_000);
    expect(message).toMatch(/clock of this device is 60 minutes behind/);
    const hub = troubleOf(hubRefused(401, '', 'the token has expired', date), Date.parse(date) + 2 * 86_400_000);
    expect(hub).toMatchObject({ state: 'refused', message: expect.stringContaining('2 days ahead') as unknown });
    const certificate = Object.assign(new Error('fetch failed'), { cause: { code: 'CERT_NOT_YET_VALID' } });
    expect(troubleOf(certificate, 0).message).toContain('The clock of this device says 1970-01-01T');
  });
});

describe('storage choice', () => {
  const device = 'HostName=h;DeviceId=d;SharedAccessKey=a2V5';
  test.each([
    [
      { IOTHUB_DEVICE_CONNECTION_STRING: device, BLOB_STORAGE_ACCOUNT_KEY: '' },
      { kind: 'fileUpload', accountKey: '' },
    ],
    [{ AZURE_STORAGE_CONNECTION_STRING: 'x', IOTHUB_DEVICE_CONNECTION_STRING: device }, { kind: 'connectionString' }],
    [
      { AZURE_STORAGE_SAS_URL: 'https://a.blob.core.windows.net/?sv=1' },
      { kind: 'sas', url: 'https://a.blob.core.windows.net/clips?sv=1' },
    ],
    [{ IOTHUB_DEVICE_CONNECTION_STRING: '${IOTHUB_DEVICE_CONNECTION_STRING}' }, { kind: 'none' }],
    [{ IOTHUB_DEVICE_CONNECTION_STRING: `${device};ModuleId=m` }, { kind: 'none' }],
    [{}, { kind: 'none' }],
  ])('%j', (env, choice) => expect(readStorageChoice(env)).toMatchObject(choice));
});
