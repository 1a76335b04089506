import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { FakeEdgeModule } from '@vantage/edge-client';
import { Metrics, silentLogger } from '@vantage/observability';
import { Journal, openStorage, VideoUploader, type ClipStorage, type FileState } from '../src/index.ts';
import { TestAzurite } from './azurite.ts';

const BLOCK = 4 << 20;
const WAIT_MS = 40_000;
const PREFIX = 'dev/ResourceGroup/Account/SolutionInstance/gate/detection/person';
let azurite: TestAzurite;
let container: ContainerClient;
const folders: string[] = [];
const running: VideoUploader[] = [];

beforeAll(async () => {
  azurite = await TestAzurite.reserve();
  await azurite.start();
  container = BlobServiceClient.fromConnectionString(azurite.connectionString()).getContainerClient('clips');
  await container.createIfNotExists();
}, 60_000);
afterEach(async () => {
  for (const uploader of running.splice(0)) await uploader.stop();
});
afterAll(async () => {
  await azurite.kill();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const json = (sensor = 'gate'): string =>
  JSON.stringify({
    schemaVersion: '0.1',
    events: [],
    regionsOfInterest: [],
    inferences: [
      {
        sourceInfo: { id: sensor, timestamp: '2026-01-02T03:04:05.000Z', width: 1, height: 1, frameId: 0 },
        type: 'detection',
        id: 'People',
        detections: [{ label: 'person' }],
      },
    ],
  });

function place() {
  const state = mkdtempSync(path.join(os.tmpdir(), 'vantage-uploader-'));
  folders.push(state);
  const folder = path.join(state, 'clips');
  mkdirSync(folder);
  const put = (name: string, bytes: Buffer): void => {
    writeFileSync(path.join(folder, `${name}.json`), json());
    writeFileSync(path.join(folder, `${name}.mp4`), bytes);
  };
  return { state, folder, put };
}

async function start(
  { state, folder }: { state: string; folder: string },
  desired = {},
  connection = azurite.connectionString(),
  watched = (storage: ClipStorage): ClipStorage => storage,
) {
  const edge = new FakeEdgeModule({ desired });
  const journal = Journal.open(state, silentLogger);
  const uploader = new VideoUploader({
    ...{ edge, journal, folder, deviceId: 'dev', logger: silentLogger, metrics: new Metrics() },
    storage: watched(
      openStorage({ kind: 'connectionString', connectionString: connection, container: 'clips' }, 'dev'),
    ),
    backoff: { baseMs: 50, capMs: 200 },
    pollMs: 100,
  });
  running.push(uploader);
  await uploader.start();
  const until = async (name: string, state: FileState): Promise<void> => {
    const deadline = Date.now() + WAIT_MS;
    while (journal.get(name)?.state !== state) {
      if (Date.now() > deadline) throw new Error(`${name} is ${JSON.stringify(journal.get(name))}, not ${state}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const storageIs = (state: string): Promise<unknown> =>
    edge.waitFor(() => (edge.twin.reported['storage'] as { state?: string } | undefined)?.state === state);
  return { edge, journal, until, storageIs };
}

test('a clip and its JSON arrive with name, tags, metadata and type; then they are announced and removed', async () => {
  const at = place();
  const bytes = randomBytes(300_000);
  at.put('people-2026-01-02-03:04:05', bytes);
  const { edge, until } = await start(at);
  await until('people-2026-01-02-03:04:05.json', 'deleted');
  const blob = container.getBlobClient(`${PREFIX}/people-2026-01-02-03:04:05.mp4`);
  expect((await blob.downloadToBuffer()).equals(bytes)).toBe(true);
  expect((await blob.getTags()).tags).toEqual({ Sensor: 'gate', Date: '2026-01-02T03:04:05.000Z' });
  const { contentType, metadata, contentMD5 } = await blob.getProperties();
  expect({ contentType, md5: Buffer.from(contentMD5!) }).toEqual({
    contentType: 'video/mp4',
    md5: createHash('md5').update(bytes).digest(),
  });
  expect(metadata).toMatchObject({ event: 'Change', eventvalue: '2', regionofinterest: 'label1' });
  expect(existsSync(path.join(at.folder, 'people-2026-01-02-03:04:05.mp4'))).toBe(false);
  expect(edge.sent).toEqual([
    {
      output: 'clips',
      body: json(),
      properties: { clip: 'people-2026-01-02-03:04:05.mp4', blob: `${PREFIX}/people-2026-01-02-03:04:05.json` },
    },
  ]);
}, 60_000);

test('what a killed uploader had staged is not sent again; a blob with this content counts as done', async () => {
  const at = place();
  const name = 'people-2026-01-02-04:00:00';
  const bytes = randomBytes(2 * BLOCK + 1000);
  const client = container.getBlockBlobClient(`${PREFIX}/${name}.mp4`);
  const md5 = createHash('md5').update(bytes.subarray(0, BLOCK)).digest('hex');
  const id = Buffer.from(`000000-${md5}`).toString('base64');
  await client.stageBlock(id, bytes.subarray(0, BLOCK), BLOCK);
  at.put(name, bytes);
  const first = await start(at, { deleteAfterUpload: false });
  await first.until(`${name}.json`, 'announced');
  const { etag, lastModified } = await client.getProperties();
  expect((await client.downloadToBuffer()).equals(bytes)).toBe(true);
  await running.pop()!.stop();
  // The journal is lost with its container; the clip is still there.
  rmSync(path.join(at.state, 'uploads.db'));
  const second = await start(at);
  await second.until(`${name}.mp4`, 'deleted');
  expect(await client.getProperties()).toMatchObject({ etag, lastModified });
}, 60_000);

test('another blob of this name stays, and the clip gets another name', async () => {
  const at = place();
  const name = 'people-2026-01-02-05:00:00';
  await container.getBlockBlobClient(`${PREFIX}/${name}.mp4`).upload('other', 5);
  at.put(name, Buffer.from('mine'));
  const { journal, until } = await start(at);
  await until(`${name}.mp4`, 'deleted');
  const blob = journal.get(`${name}.mp4`)?.stored ?? '';
  expect(blob).toMatch(new RegExp(`${name}~[0-9a-z]+\\.mp4$`));
  expect((await container.getBlobClient(blob).downloadToBuffer()).toString()).toBe('mine');
  expect((await container.getBlobClient(`${PREFIX}/${name}.mp4`).downloadToBuffer()).toString()).toBe('other');
}, 60_000);

test('a wrong key is told, and nothing is removed; a clip that the recorder removes meanwhile is counted', async () => {
  const at = place();
  at.put('people-2026-01-02-06:00:00', Buffer.from('clip'));
  const { edge, storageIs } = await start(at, {}, azurite.connectionString(Buffer.alloc(64, 9).toString('base64')));
  await storageIs('refused');
  expect(edge.twin.reported).toMatchObject({
    storage: { error: expect.stringContaining('Check the key') as unknown },
    backlog: { clips: 1 },
  });
  expect(existsSync(path.join(at.folder, 'people-2026-01-02-06:00:00.mp4'))).toBe(true);
  rmSync(path.join(at.folder, 'people-2026-01-02-06:00:00.mp4'));
  await edge.waitFor(() => edge.twin.reported['removedByRecorder'] === 1);
}, 60_000);

test('of a backlog the oldest goes first, small files a few at a time, a large one alone, a JSON after its clip', async () => {
  const at = place();
  const names = Array.from({ length: 12 }, (_, n) => `people-2026-01-02-09:00:${10 + n}`);
  const large = names[6]!;
  for (const name of names) at.put(name, randomBytes(name === large ? BLOCK + 1000 : 2000));
  const begun: string[] = [];
  const ended: string[] = [];
  const beside: string[][] = [];
  const watched = (storage: ClipStorage): ClipStorage => ({
    container: storage.container,
    place: async (blob, signal) => {
      const name = path.basename(blob);
      beside.push([name, ...begun.filter((one) => !ended.includes(one))]);
      begun.push(name);
      return { ...(await storage.place(blob, signal)), correlationId: name };
    },
    end: (name) => Promise.resolve(void ended.push(name)),
  });
  const { until } = await start(at, {}, azurite.connectionString(), watched);
  for (const name of names) await until(`${name}.json`, 'deleted');
  const clips = begun.filter((name) => name.endsWith('.mp4'));
  expect([...begun].sort()).toEqual(names.flatMap((name) => [`${name}.json`, `${name}.mp4`]));
  for (const [at, name] of names.entries()) expect(Math.abs(clips.indexOf(`${name}.mp4`) - at)).toBeLessThan(4);
  expect(Math.max(...beside.map(({ length }) => length))).toBe(4);
  for (const together of beside.filter((one) => one.includes(`${large}.mp4`))) expect(together).toHaveLength(1);
  for (const [name, ...others] of beside) expect(others).not.toContain(name!.replace(/json$/, 'mp4'));
}, 60_000);

test('storage that is away is waited for', async () => {
  const late = await TestAzurite.reserve();
  const at = place();
  at.put('people-2026-01-02-07:00:00', Buffer.from('clip'));
  const { storageIs, until } = await start(at, {}, late.connectionString());
  await storageIs('unreachable');
  await late.start();
  await until('people-2026-01-02-07:00:00.json', 'deleted');
  await storageIs('ok');
  await late.kill();
}, 60_000);

test('a clip goes up while it is recorded, without its first block, and is whole when it is closed', async () => {
  const at = place();
  const name = 'people-2026-01-02-08:00:00';
  const bytes = randomBytes(3 * BLOCK + 5000);
  const part = path.join(at.folder, `.${name}.mp4.part`);
  writeFileSync(path.join(at.folder, `.${name}.json.part`), `${JSON.stringify({ sensor: 'gate' })}\n${json()}\n`);
  writeFileSync(part, bytes.subarray(0, 3 * BLOCK));
  const { until } = await start(at, { uploadWhileRecording: true });
  const client = container.getBlockBlobClient(`${PREFIX}/${name}.mp4`);
  for (const deadline = Date.now() + WAIT_MS; ;) {
    expect(Date.now()).toBeLessThan(deadline);
    const { uncommittedBlocks = [] } = await client.getBlockList('uncommitted').catch(() => ({}) as never);
    if (uncommittedBlocks.length > 0) {
      expect(Buffer.from(uncommittedBlocks[0]!.name, 'base64').toString()).toMatch(/^000001-/);
      break;
    }
  }
  appendFileSync(part, bytes.subarray(3 * BLOCK));
  writeFileSync(path.join(at.folder, `${name}.json`), json());
  renameSync(part, path.join(at.folder, `${name}.mp4`));
  await until(`${name}.mp4`, 'deleted');
  expect((await client.downloadToBuffer()).equals(bytes)).toBe(true);
}, 60_000);
