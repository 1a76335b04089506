import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { FakeEdgeModule } from '@vantage/edge-client';
import { EdgeRuntime } from '@vantage/local-edge';
import { resolveFfmpeg } from '@vantage/media';
import { Metrics, silentLogger } from '@vantage/observability';
import { Journal, openStorage, VideoUploader, type VideoUploaderOptions } from '@vantage/video-uploader';
import { moduleCommands } from '../tools/cli/src/up/module-commands.ts';
import { CLIP_CONTAINER, LocalStorage } from '../tools/cli/src/up/storage/storage.ts';
import { SlowLine } from './support/slow-line.ts';
import { uploaderDeployment } from './support/uploader-deployment.ts';

const WAIT_MS = 20_000;
const BALLAST = 'ballast';
const DAY_MS = 86_400_000;
const root = mkdtempSync(path.join(os.tmpdir(), 'vantage-storage-'));
/** The storage account's disk: small where a small one can be mounted. */
const disk = path.join(root, 'disk');
const isSmall = mountSmall(disk);
/** The device's own. */
const device = path.join(root, 'device');
const isDeviceSmall = isSmall && mountSmall(device);
let made = 0;
const running: VideoUploader[] = [];
/** What every file has to be. */
const written = new Map<string, Buffer>();
let storage: LocalStorage;
const lines: SlowLine[] = [];

beforeAll(async () => {
  storage = await LocalStorage.start(disk, silentLogger);
});
afterEach(async () => {
  for (const at of [disk, device]) rmSync(path.join(at, BALLAST), { force: true });
  for (const uploader of running.splice(0)) await uploader.stop();
  for (const line of lines.splice(0)) await line.close();
});
afterAll(async () => {
  await storage?.stop();
  if (isSmall) execFileSync('umount', [disk]);
  if (isDeviceSmall) execFileSync('umount', [device]);
  rmSync(root, { recursive: true, force: true });
});

test('a full disk of the storage account is told, everything stays, and it goes on by itself when there is room', async () => {
  if (!isSmall) return;
  const { journal, put, files, reported } = await uploader('full');
  const first = put(300_000);
  await arrived(journal, first);
  fill(disk);
  // The smallest may still find room in a block of the disk, but not what the account notes about it.
  const waiting = [put(10), put(1_000_000), put(300_000)];
  await until(() => waiting.every((name) => (journal.get(`${name}.mp4`)?.attempts ?? 0) >= 3));
  await until(() => reported('storage')['state'] === 'full');
  expect(reported('storage')['error']).toMatch(/^storage is full: /);
  expect(files().filter((name) => name.endsWith('.mp4'))).toEqual(waiting.map((name) => `${name}.mp4`));
  // What is not in the account's books when its process ends was never confirmed.
  process.kill(storage.pid!, 'SIGKILL');
  rmSync(path.join(disk, BALLAST));
  for (const name of waiting) await arrived(journal, name);
  await until(() => reported('storage')['state'] === 'ok');
  expect(files()).toEqual([]);
  await expectBlobs([first, ...waiting]);
}, 60_000);

test('a slow line is waited for as long as bytes flow; one that takes nothing more is given up, and taken up again', async () => {
  const line = await slowLine(20_000);
  const { journal, put, reported } = await uploader('slow', behind(line), {
    patience: { quietMs: 500, bytesPerSecond: 16_000 },
  });
  const startedMs = performance.now();
  const slow = put(40_000);
  await arrived(journal, slow);
  expect(performance.now() - startedMs).toBeGreaterThan(2000);
  expect(journal.get(`${slow}.mp4`)).toMatchObject({ attempts: 1 });
  const { passed } = line;
  const stuck = put(30_000);
  await until(() => line.passed > passed + 15_000);
  line.bytesPerSecond = 0;
  await until(() => reported('storage')['state'] === 'unreachable');
  expect(reported('storage')['error']).toMatch(/^storage does not answer: the line takes nothing more/);
  line.bytesPerSecond = 1e6;
  await arrived(journal, stuck);
  await until(() => reported('storage')['state'] === 'ok');
  await expectBlobs([slow, stuck]);
}, 60_000);

test('a full disk of the device, where the journal is too: uploads go on, and make room', async () => {
  if (!isDeviceSmall) return;
  const line = await slowLine(0);
  const { journal, put } = await uploader('device', behind(line), {}, device);
  const names = [put(200_000), put(200_000), put(200_000)];
  await until(() => names.every((name) => journal.get(`${name}.mp4`) !== undefined));
  fill(device);
  line.bytesPerSecond = 100e6;
  for (const name of names) await arrived(journal, name);
  rmSync(path.join(device, BALLAST));
  await until(() => existsSync(path.join(device, 'device-journal', 'reserve')));
  await running.pop()!.stop();
  names.push(put(200_000));
  fill(device);
  const second = await uploader('device', behind(line), {}, device);
  expect(second.journal.get(`${names[0]}.mp4`)).toMatchObject({ state: 'deleted' });
  await arrived(second.journal, names[3]!);
  await expectBlobs(names);
}, 60_000);

describe('a wrong clock', () => {
  const stateDir = path.join(root, 'runtime');
  const folder = path.join(stateDir, 'volumes', 'VideoUploaderCache');
  const clock = path.join(root, 'clock');
  const { put, files, names } = clips('clock', folder);
  const reported = (): Record<string, { state?: string; error?: string }> & { problems?: { message: string }[] } =>
    runtime.twin('VideoUploader').reported as never;
  let runtime: EdgeRuntime;

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    setClock(0);
    runtime = new EdgeRuntime({
      stateDir,
      resolveImage: moduleCommands({ rtspPort: 0, mediaFolder: stateDir, ffmpeg: await resolveFfmpeg() }),
      storageConnectionString: storage.connectionString,
      storageContainer: CLIP_CONTAINER,
      logger: silentLogger,
    });
    await runtime.start();
    const fake = `--import=${path.join(import.meta.dirname, 'support/fake-clock.ts')}`;
    const env = {
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} ${fake}`,
      VANTAGE_TEST_CLOCK: clock,
      VIDEO_UPLOADER_MAX_PAUSE_SECONDS: '1',
    };
    await runtime.applyDeployment(uploaderDeployment(env, {}));
  });
  afterAll(() => runtime?.stop());

  const setClock = (offMs: number): void => {
    writeFileSync(`${clock}.new`, String(offMs));
    renameSync(`${clock}.new`, clock);
  };

  test('is told with how wrong it is, and nothing is lost; put right, uploads go on', async () => {
    put(1000);
    await until(() => reported()['storage']?.state === 'ok' && files().length === 0);
    setClock(-2 * DAY_MS);
    const refused = put(1000);
    await until(() => reported()['storage']?.state === 'refused');
    expect(reported()['storage']?.error).toMatch(/^the clock of this device is 2 days behind/);
    expect(files()).toContain(`${refused}.mp4`);
    setClock(0);
    await until(() => reported()['storage']?.state === 'ok' && files().length === 0);
    // The hub takes a token that ends late, and this storage looks at no date.
    setClock(2 * DAY_MS);
    put(1000);
    await until(() => /clock of this device is 2 days ahead/.test(reported().problems?.[0]?.message ?? ''));
    await until(() => files().length === 0);
    setClock(0);
    put(1000);
    await until(() => reported().problems?.length === 0 && files().length === 0);
    await expectBlobs(names);
  }, 60_000);
});

/** A folder of clips. */
function clips(prefix: string, folder: string) {
  const names: string[] = [];
  const json = JSON.stringify({
    ...{ schemaVersion: '0.1', events: [], regionsOfInterest: [] },
    inferences: [{ sourceInfo: { id: 'gate', timestamp: '2026-01-02T03:04:05.000Z' }, type: 'detection' }],
  });
  return {
    names,
    /** @returns its name, without ending */
    put: (bytes: number): string => {
      const name = `${prefix}-2026-01-02-03:04:${10 + (made += 1)}`;
      names.push(name);
      written.set(`${name}.mp4`, randomBytes(bytes));
      written.set(`${name}.json`, Buffer.from(json));
      for (const file of [`${name}.json`, `${name}.mp4`]) {
        writeFileSync(path.join(folder, `.${file}.tmp`), written.get(file)!);
        renameSync(path.join(folder, `.${file}.tmp`), path.join(folder, file));
      }
      return name;
    },
    files: (): string[] => readdirSync(folder).sort(),
  };
}

/** An uploader of its own, in this process. */
async function uploader(
  prefix: string,
  connectionString = storage.connectionString,
  options: Partial<VideoUploaderOptions> = {},
  parent = root,
) {
  const folder = path.join(parent, prefix);
  mkdirSync(folder, { recursive: true });
  const edge = new FakeEdgeModule();
  const journal = Journal.open(path.join(parent, `${prefix}-journal`), silentLogger);
  const one = new VideoUploader({
    ...{ edge, journal, folder, deviceId: 'dev', logger: silentLogger, metrics: new Metrics() },
    storage: openStorage({ kind: 'connectionString', connectionString, container: CLIP_CONTAINER }, 'dev'),
    ...{ backoff: { baseMs: 100, capMs: 200 }, pollMs: 100, ...options },
  });
  running.push(one);
  await one.start();
  const reported = (key: string): Record<string, unknown> => (edge.twin.reported[key] ?? {}) as Record<string, unknown>;
  return { journal, reported, ...clips(prefix, folder) };
}

/** It and its JSON are in storage, and removed here. */
const arrived = (journal: Journal, name: string): Promise<void> =>
  until(() => ['mp4', 'json'].every((ending) => journal.get(`${name}.${ending}`)?.state === 'deleted'));

async function until(isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + WAIT_MS; !isSo(); await delay(20)) {
    if (Date.now() > deadline) throw new Error(`never: ${isSo.toString()}`);
  }
}

/** Each of these clips and their JSON is there once, byte for byte, and nothing else of their kind. */
async function expectBlobs(names: readonly string[]): Promise<void> {
  const container = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(CLIP_CONTAINER);
  const prefix = names[0]!.split('-')[0]!;
  const found: string[] = [];
  for await (const { name } of container.listBlobsFlat()) {
    const file = name.split('/').at(-1)!;
    if (!file.startsWith(prefix)) continue;
    found.push(file);
    expect((await container.getBlobClient(name).downloadToBuffer()).equals(written.get(file)!)).toBe(true);
  }
  expect(found.sort()).toEqual(names.flatMap((name) => [`${name}.json`, `${name}.mp4`]).sort());
}

async function slowLine(bytesPerSecond: number): Promise<SlowLine> {
  const line = await SlowLine.open(Number(/:(\d+)\//.exec(storage.connectionString)?.[1]), bytesPerSecond);
  lines.push(line);
  return line;
}

/** The storage account as it is reached through a line. */
const behind = ({ port }: SlowLine): string => storage.connectionString.replace(/:\d+\//, `:${port}/`);

function fill(at: string): void {
  execFileSync('sh', ['-c', `cat /dev/zero > ${path.join(at, BALLAST)} 2>/dev/null; true`]);
}

function mountSmall(at: string): boolean {
  mkdirSync(at);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', at], { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('skipped: a small disk cannot be mounted here, so none is full\n');
    return false;
  }
}
