import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { sensorTag } from '@vantage/contracts';
import { resolveFfmpeg } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import { MediaUrls } from '../src/clips/media-urls.ts';
import { readRange } from '../src/clips/byte-range.ts';
import { Player, readSettings, type ApiClips, type ApiHealth, type ApiTimeline } from '../src/index.ts';
import { startAzurite, type Azurite } from './support/azurite.ts';
import { Browser } from './support/browser.ts';

const MANY = 10_000;
const DEVICE = 'gate';
const folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-clips-'));
const recordings = path.join(folder, 'clips');
let azurite: Azurite | undefined;
let container: ContainerClient;
let player: Player;
let browser: Browser;
let video: Buffer;

function document(sensor: string): string {
  const frame = (n: number): object => ({
    sourceInfo: { id: sensor, timestamp: new Date(n * 100).toISOString(), width: 64, height: 48, frameId: n },
    type: 'detection',
    id: 'People',
    detections: [
      { label: 'person', tracking_id: 7 },
      { label: n > 5 ? 'car' : 'person', tracking_id: n > 5 ? 9 : 8 },
    ],
  });
  return JSON.stringify({ events: [{}], inferences: Array.from({ length: 20 }, (_, n) => frame(n)) });
}

const nameOf = (n: number, sensor: string): string => {
  const time = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
  return `people-${time.slice(0, 10)}-${time.slice(11, 19)}_${sensor}`;
};

beforeAll(async () => {
  mkdirSync(recordings);
  for (let n = 0; n < MANY; n += 1)
    writeFileSync(path.join(recordings, `${nameOf(n, n % 2 ? 'yard' : 'street')}.mp4`), '');
  const { path: ffmpeg } = await resolveFfmpeg();
  const sample = path.join(recordings, `${nameOf(MANY, 'street')}.mp4`);
  const make = spawn(ffmpeg, [
    '-loglevel',
    'error',
    '-f',
    'lavfi',
    '-i',
    'testsrc=s=64x48:d=1',
    '-y',
    `file:${sample}`,
  ]);
  await once(make, 'close');
  video = await readFile(sample);
  await writeFile(sample.replace('.mp4', '.json'), document('street'));
  await writeFile(path.join(recordings, '.people-2027-01-01-00:00:00.mp4.part'), 'not whole');

  azurite = await startAzurite(path.join(folder, 'azurite'));
  const { access } = azurite;
  container = BlobServiceClient.fromConnectionString(access).getContainerClient('clips');
  await container.create();
  const base = `${DEVICE}/ResourceGroup/Account/SolutionInstance/street/detection/person`;
  const tags = { Sensor: 'street', Date: '2026-01-01T00:00:00Z' };
  // One that both have, one that only the storage has, one of another device.
  // Of a pipeline with one camera: its JSON alone says which.
  await writeFile(path.join(recordings, 'single-2025-12-01-00:00:00.mp4'), video);
  await writeFile(path.join(recordings, 'single-2025-12-01-00:00:00.json'), document('gate'));
  for (const name of [`${base}/${path.basename(sample)}`, `${base}/night-2025-12-31-23:00:00.mp4`]) {
    await container.getBlockBlobClient(name).uploadData(video, { tags: name.includes('night') ? tags : {} });
  }
  await container
    .getBlockBlobClient(`${base}/night-2025-12-31-23:00:00.json`)
    .uploadData(Buffer.from(document('street')));
  // A tag has no room for its name, the folder has.
  const door = `${DEVICE}/ResourceGroup/Account/SolutionInstance/门口/detection/person/door-2025-11-30-23:00:00.mp4`;
  await container
    .getBlockBlobClient(door)
    .uploadData(video, { tags: { Sensor: sensorTag('门口'), Date: '2025-11-30T23:00:00Z' } });
  await container.getBlockBlobClient('other/a/b/c/d/e/f/x-2026-01-01-00:00:00.mp4').uploadData(video);

  const env = {
    PLAYER_PORT: '0',
    PLAYER_RECORDINGS: recordings,
    PLAYER_STORAGE: access,
    PLAYER_CACHE: path.join(folder, 'cache'),
    VANTAGE_STATE: path.join(folder, 'no-runtime'),
    VANTAGE_DEVICE: DEVICE,
  };
  player = new Player({ settings: readSettings(env), logger: silentLogger, env, web: path.join(folder, 'web') });
  browser = new Browser(await player.start());
});

afterAll(async () => {
  await player?.stop();
  await azurite?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const list = async (query: string): Promise<ApiClips> => (await browser.ask(`/api/clips?${query}`)).json<ApiClips>();

test('clips of folder and storage are one list, newest first, page by page', async () => {
  await list('limit=1');
  const newest = await list('limit=2');
  expect(newest.clips.map(({ name, where, sensor, pipeline }) => [name, where, sensor, pipeline])).toEqual([
    [nameOf(MANY, 'street'), 'both', 'street', 'people'],
    [nameOf(MANY - 1, 'yard'), 'device', 'yard', 'people'],
  ]);
  expect(newest.clips[0]).toMatchObject({
    seconds: 2,
    objects: 3,
    labels: ['person', 'car'],
    events: 1,
    bytes: video.length,
  });
  expect([newest.total, newest.sensors]).toEqual([MANY + 4, ['gate', 'street', 'yard', '门口']]);
  const second = await list(`limit=2&before=${encodeURIComponent(newest.next!)}`);
  expect(second.clips[0]?.name).toBe(nameOf(MANY - 2, 'street'));
  const names = [nameOf(4, 'street'), nameOf(9, 'yard'), 'gone'].map((name) => `name=${encodeURIComponent(name)}`);
  expect((await list(names.join('&'))).clips.map(({ name }) => name)).toEqual([nameOf(4, 'street'), nameOf(9, 'yard')]);
  // Its time is that of its tag.
  const [stored] = (await list('to=2026-01-01T00:00:00Z&sensor=street')).clips.filter(
    ({ where }) => where === 'storage',
  );
  expect([stored?.name, stored?.startedAt]).toEqual(['night-2025-12-31-23:00:00', '2026-01-01T00:00:00.000Z']);
  expect(newest.sources).toEqual({ device: { state: 'ok' }, storage: { state: 'ok' } });
  expect((await browser.ask('/api/clips?limit=x')).status).toBe(400);

  const timeline = (await browser.ask('/api/clips/timeline')).json<ApiTimeline>();
  expect(timeline.buckets.reduce((sum, { clips }) => sum + clips, 0)).toBe(MANY + 4);
  expect((await list('sensor=gate')).clips.map(({ pipeline, sensor }) => [pipeline, sensor])).toEqual([
    ['single', 'gate'],
  ]);
});

test('ten thousand clips do not make it slow', async () => {
  const times: number[] = [];
  for (let n = 0; n < 20; n += 1) {
    const startMs = performance.now();
    await list('limit=50&sensor=street&from=2026-01-02T00:00:00Z');
    times.push(performance.now() - startMs);
  }
  process.stderr.write(`clips: best ${Math.min(...times).toFixed(1)} ms of ${times.length} lists of ${MANY}\n`);
  expect(Math.min(...times)).toBeLessThan(50);
});

test('media: whole, in ranges, from both places, with thumbnails; by signed addresses only', async () => {
  const [both] = (await list('limit=1')).clips;
  const [stored] = (await list('to=2026-01-01T00:00:00Z')).clips.filter(({ where }) => where === 'storage');
  for (const clip of [both!, stored!]) {
    const whole = await browser.ask(clip.videoUrl);
    expect([whole.status, whole.headers['content-type'], whole.body.equals(video)]).toEqual([200, 'video/mp4', true]);
    const part = await browser.ask(clip.videoUrl, { headers: { range: 'bytes=100-199' } });
    expect([part.status, part.headers['content-range']]).toEqual([206, `bytes 100-199/${video.length}`]);
    expect(part.body.equals(video.subarray(100, 200))).toBe(true);
    expect((await browser.ask(clip.videoUrl, { headers: { range: 'bytes=999999-' } })).status).toBe(416);
    const thumb = await browser.ask(clip.thumbUrl);
    expect([thumb.status, thumb.body.subarray(0, 2).toString('hex')]).toEqual([200, 'ffd8']);
    expect((await browser.ask(clip.jsonUrl!)).json()).toHaveProperty('inferences');
  }
  expect(await readdir(path.join(folder, 'cache/thumbnails'))).toHaveLength(2);
  const [, text = '', signature = ''] = /^\/media\/(.*)\.(.*)$/.exec(both!.videoUrl) ?? [];
  const forged = Buffer.from(`v${'zzzzzz'}.../../../etc/passwd`).toString('base64url');
  for (const wrong of [`${text}.`, text, `${forged}.${signature}`, `${text}.${'A'.repeat(43)}`]) {
    const answer = await browser.ask(`/media/${wrong}`);
    expect([answer.status, answer.json()['code']]).toEqual([403, 'MEDIA_UNSIGNED']);
  }
});

test('an address ends', () => {
  let now = 1_000_000;
  const urls = new MediaUrls(() => now);
  const signed = urls.url('a', 'video').slice('/media/'.length);
  now += 10 * 60_000;
  expect(urls.read(signed)).toEqual({ name: 'a', kind: 'video' });
  now += 5 * 60_000;
  expect(() => urls.read(signed)).toThrow('too old');
  expect(() => new MediaUrls(() => now).read(signed)).toThrow('not made by this Player');
});

test.each([
  ['bytes=0-0', 10, { start: 0, end: 0 }],
  ['bytes=5-', 10, { start: 5, end: 9 }],
  ['bytes=-3', 10, { start: 7, end: 9 }],
  ['bytes=-30', 10, { start: 0, end: 9 }],
  ['bytes=3-99', 10, { start: 3, end: 9 }],
  ['bytes=10-', 10, 'none'],
  ['bytes=5-2', 10, 'none'],
  ['bytes=-0', 10, 'none'],
  ['bytes=-', 10, undefined],
  ['bytes=0-1,3-4', 10, undefined],
  ['items=0-1', 10, undefined],
  [undefined, 10, undefined],
])('range %s of %i bytes', (header, bytes, expected) => expect(readRange(header, bytes)).toEqual(expected));

test('a zip that is no model is told so, and other bodies are refused', async () => {
  await browser.ask('/api/session');
  const send = (body: Buffer, type: string): ReturnType<Browser['ask']> =>
    browser.ask('/api/models', {
      method: 'POST',
      body,
      headers: { 'x-vantage-csrf': browser.csrf, 'content-type': type },
    });
  const part = 'Content-Disposition: form-data; name="file"; filename="m.zip"\r\nContent-Type: application/zip';
  const form = Buffer.from(`--x\r\n${part}\r\n\r\nno zip\r\n--x--\r\n`);
  const answer = await send(form, 'multipart/form-data; boundary=x');
  expect(answer.json()).toMatchObject({ ok: false, report: { message: expect.stringContaining('zip') } });
  expect((await send(Buffer.from('{}'), 'application/json')).status).toBe(400);
  expect((await browser.change('POST', `/api/models/${'0'.repeat(64)}/use`, { pipeline: 'People' })).status).toBe(409);
});

test('storage down and folder gone are said; what is known stays', async () => {
  await azurite?.stop();
  await rm(recordings, { recursive: true });
  const [stored] = (await list('to=2026-01-01T00:00:00Z')).clips.filter(({ where }) => where === 'storage');
  expect(stored).toBeDefined();
  const answer = await browser.ask(stored!.videoUrl);
  expect([answer.status, answer.json()['code']]).toEqual([503, 'CLIP_STORAGE_UNREACHABLE']);
  const health = (await browser.ask('/api/health')).json<ApiHealth>();
  expect(health.recordings.state).toBe('missing');
  expect(health.runtime.problem?.code).toBe('RUNTIME_NOT_FOUND');
});
