import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { EdgeRuntime } from '@vantage/local-edge';
import { resolveFfmpeg } from '@vantage/media';
import { createLogger, silentLogger } from '@vantage/observability';
import { Journal } from '@vantage/video-uploader';
import { moduleCommands } from '../tools/cli/src/up/module-commands.ts';
import { CLIP_CONTAINER, LocalStorage } from '../tools/cli/src/up/storage/storage.ts';
import { seeded } from './soak/random.ts';
import { uploaderDeployment } from './support/uploader-deployment.ts';

/** VANTAGE_FAULT_SECONDS=180 for the long run; VANTAGE_FAULT_SEED to repeat one. */
const SECONDS = Number(process.env['VANTAGE_FAULT_SECONDS'] ?? 20);
const SEED = Number(process.env['VANTAGE_FAULT_SEED'] ?? Date.now() % 1_000_000);
/** As long as files go away one after the other all is well, however slow the machine is. */
const STALL_MS = 60_000;
const VICTIMS = ['recorder', 'uploader', 'storage'] as const;

const stateDir = mkdtempSync(path.join(os.tmpdir(), 'vantage-evidence-'));
const folder = path.join(stateDir, 'volumes', 'VideoUploaderCache');
const video = path.join(stateDir, 'camera.mp4');
/** Links to what was closed: the uploader takes away names, not what the links hold. */
const ledger = path.join(stateDir, 'ledger');
const announced = new Set<string>();
let storage: LocalStorage;
let runtime: EdgeRuntime;
let recorder: ChildProcess | undefined;
let recording = true;
let noting: NodeJS.Timeout | undefined;
const storageLog: string[] = [];
const storageLogger = createLogger({
  module: 'storage',
  level: 'debug',
  destination: { write: (line) => void storageLog.push(line) },
});

beforeAll(async () => {
  const ffmpeg = await resolveFfmpeg();
  mkdirSync(folder, { recursive: true });
  mkdirSync(ledger);
  await makeVideo(ffmpeg.path);
  storage = await LocalStorage.start(stateDir, storageLogger);
  runtime = new EdgeRuntime({
    stateDir,
    resolveImage: moduleCommands({ rtspPort: 0, mediaFolder: stateDir, ffmpeg }),
    // As edgeAgent's, but a module that is killed every few seconds is not made to wait minutes, or given up.
    restartTiming: { coolOffUnitMs: 100, maxCoolOffMs: 1000, maxRestartCount: 10_000 },
    storageConnectionString: storage.connectionString,
    storageContainer: CLIP_CONTAINER,
    logger: silentLogger,
  });
  runtime.on('message', ({ moduleId, properties }) => {
    if (moduleId === 'VideoUploader' && properties['clip'] !== undefined) announced.add(properties['clip']);
  });
  await runtime.start();
  await runtime.applyDeployment(DEPLOYMENT);
}, 120_000);

afterAll(async () => {
  recording = false;
  clearInterval(noting);
  recorder?.kill('SIGKILL');
  await runtime?.stop();
  await storage?.stop();
  rmSync(stateDir, { recursive: true, force: true });
}, 60_000);

test(
  'recorder, uploader and storage are killed at random: each closed clip arrives once, byte for byte',
  async () => {
    const random = seeded(SEED);
    const kills = { recorder: 0, uploader: 0, storage: 0 };
    const log: string[] = [];
    const startedMs = Date.now();
    const recorded = keepRecording();
    noting = setInterval(noteClosed, 50);
    while (Date.now() - startedMs < SECONDS * 1000) {
      await delay(500 + random() * 3500);
      const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? 'recorder';
      const pid = pidOf(victim);
      if (pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      kills[victim] += 1;
      log.push(`${((Date.now() - startedMs) / 1000).toFixed(1)} s ${victim}`);
    }
    recording = false;
    recorder?.kill('SIGKILL');
    await recorded;
    await once(record('drain'), 'exit');
    noteClosed();
    clearInterval(noting);

    const closed = readdirSync(ledger);
    const clips = closed.filter((name) => name.endsWith('.mp4'));
    await untilEmpty(log);
    const container = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(
      CLIP_CONTAINER,
    );
    const wrong = await compare(container, closed);
    const rows = journalRows();
    const retries = rows.reduce((sum, { attempts }) => sum + attempts - 1, 0);
    process.stderr.write(
      `evidence: seed ${SEED}, ${SECONDS} s, killed ${JSON.stringify(kills)}, ${clips.length} clips, ${retries} uploads taken up again\n`,
    );
    expect({ wrong, kills: wrong.length === 0 ? [] : log }).toEqual({ wrong: [], kills: [] });
    expect(clips.filter((name) => !announced.has(name))).toEqual([]);
    expect(clips.filter((name) => !closed.includes(name.replace(/mp4$/, 'json')))).toEqual([]);
    expect(clips.length).toBeGreaterThan(2);
  },
  SECONDS * 5000 + 180_000,
);

/** Names of what is missing, there twice, or different. */
async function compare(container: ContainerClient, closed: readonly string[]): Promise<string[]> {
  const blobs = new Map<string, string[]>();
  for await (const { name } of container.listBlobsFlat()) {
    const file = name.split('/').at(-1) ?? '';
    blobs.set(file, [...(blobs.get(file) ?? []), name]);
  }
  const wrong: string[] = [];
  for (const file of closed) {
    const names = blobs.get(file) ?? [];
    blobs.delete(file);
    const [only] = names;
    if (names.length !== 1 || only === undefined) {
      wrong.push(`${file}: ${names.length} blobs`);
      continue;
    }
    const client = container.getBlobClient(only);
    const bytes = await client.downloadToBuffer();
    if (!bytes.equals(readFileSync(path.join(ledger, file)))) wrong.push(`${file}: other bytes`);
    if ((await client.getTags()).tags['Sensor'] !== 'gate') wrong.push(`${file}: no tags`);
  }
  return [...wrong, ...[...blobs.keys()].map((file) => `${file}: nobody recorded it`)];
}

/** The uploader removes a file when storage has confirmed it. */
async function untilEmpty(log: readonly string[]): Promise<void> {
  let deadline = Date.now() + STALL_MS;
  let before = Infinity;
  for (;;) {
    const left = readdirSync(folder).filter((name) => !name.startsWith('.'));
    if (left.length === 0) return;
    if (left.length < before) deadline = Date.now() + STALL_MS;
    before = left.length;
    if (Date.now() > deadline) {
      const said = readFileSync(path.join(stateDir, 'logs', 'VideoUploader.log'), 'utf8').slice(-4000);
      throw new Error(
        `still here: ${left.join(', ')}\nkilled: ${log.join(', ')}\n${said}\n${storageLog.join('').slice(-4000)}`,
      );
    }
    await delay(100);
  }
}

function pidOf(victim: (typeof VICTIMS)[number]): number | undefined {
  if (victim === 'storage') return storage.pid;
  if (victim === 'recorder') return recorder?.exitCode === null ? recorder.pid : undefined;
  const module = runtime.modules().find(({ id }) => id === 'VideoUploader');
  return module?.status === 'running' ? module.pid : undefined;
}

function record(mode: 'run' | 'drain'): ChildProcess {
  const script = path.join(import.meta.dirname, 'support/evidence-recorder.ts');
  const args = ['--disable-warning=ExperimentalWarning', script, folder, video, mode];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

async function keepRecording(): Promise<void> {
  while (recording) {
    recorder = record('run');
    await once(recorder, 'exit');
  }
}

/** Every clip and JSON that the uploader has seen. */
function journalRows() {
  const journal = Journal.open(path.join(stateDir, 'volumes', 'VideoUploaderState', 'uploader'), silentLogger);
  try {
    return journal.in(['stored', 'announced', 'deleted']);
  } finally {
    journal.close();
  }
}

/** Whatever stands under its final name is closed. A file that is put in its place later is the one that counts. */
function noteClosed(): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith('.') || !/\.(mp4|json)$/.test(name)) continue;
    const file = path.join(folder, name);
    const link = path.join(ledger, name);
    const [now, noted] = [file, link].map((one) => statSync(one, { throwIfNoEntry: false })?.ino);
    if (now === undefined || now === noted) continue;
    rmSync(link, { force: true });
    try {
      linkSync(file, link);
    } catch (error) {
      // Taken away between the two looks, five seconds after it was stored: it was noted long before.
      if (noted === undefined) throw error;
    }
  }
}

/** Four seconds of noise, which does not compress: clips of half a megabyte, each a key frame a second. */
async function makeVideo(ffmpeg: string): Promise<void> {
  const input = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25:duration=4'];
  const encode = ['-vf', 'noise=alls=60:allf=t', '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', '6M', '-g', '25'];
  const [status] = (await once(
    spawn(ffmpeg, ['-v', 'error', ...input, ...encode, '-y', video], { stdio: 'inherit' }),
    'exit',
  )) as [number];
  if (status !== 0) throw new Error('no video was made');
}

/** Small blocks, pieces of what is still being recorded, and time to note what was closed. */
const DEPLOYMENT = uploaderDeployment(
  { VIDEO_UPLOADER_MAX_PAUSE_SECONDS: '2' },
  { bandwidthKBps: 100_000, uploadWhileRecording: true, keepLocalSeconds: 5 },
);
