import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClipDocument } from '@vantage/contracts';
import { VideoSource, resolveFfmpeg, type EncodedPacket, type Ffmpeg } from '@vantage/media';
import { createLogger } from '@vantage/observability';
import { ClipRecorder } from '../src/camera/clip-recorder.ts';
import { recoverClips } from '../src/camera/clips/recover-clips.ts';
import type { ClipReport, RecordingSettings } from '../src/camera/protocol.ts';

const root = mkdtempSync(path.join(tmpdir(), 'vantage-recorder-'));
const logger = createLogger({ module: 'test', level: 'error' });
const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
let ffmpeg: Ffmpeg;

interface Stream {
  readonly header: Uint8Array;
  readonly packets: readonly EncodedPacket[];
}

/** Six seconds with B-frames, a key frame each second. */
let long: Stream;

beforeAll(async () => {
  ffmpeg = await resolveFfmpeg();
  long = await read(made('long.mp4', '160x90', 6));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function made(name: string, size: string, seconds: number): string {
  const file = path.join(root, name);
  const picture = ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=25:duration=${seconds}`];
  const coding = ['-c:v', 'libx264', '-g', '25', '-sc_threshold', '0', '-pix_fmt', 'yuv420p'];
  execFileSync(ffmpeg.path, ['-v', 'error', '-y', ...picture, ...coding, file]);
  return file;
}

function read(url: string): Promise<Stream> {
  return new Promise((resolve) => {
    const packets: EncodedPacket[] = [];
    let header = new Uint8Array(0);
    const options = { ffmpeg, picture: undefined, encoded: true, pace: 'asFastAsPossible', loop: false } as const;
    new VideoSource(
      { url, ...options, reconnect: false, logger },
      {
        onHeader: (bytes) => (header = Uint8Array.from(bytes)),
        onPacket: (packet) => packets.push(packet),
        onState: ({ state }) => {
          if (state === 'ended' || state === 'failed') resolve({ header, packets });
        },
      },
    ).start();
  });
}

function recorder(folder: string, change: Partial<RecordingSettings> = {}, sensor = 'gate') {
  mkdirSync(folder, { recursive: true });
  const clips: ClipReport[] = [];
  const problems: string[] = [];
  const messages: string[] = [];
  const states: string[] = [];
  const settings = { folder, prefix: 'p', sensorSuffix: false, pipelineId: 'P', preRollSeconds: 0, clipSeconds: 30 };
  const made = new ClipRecorder({
    ...{ sensor, ffmpeg, regions: [] },
    settings: { ...settings, autoStopSeconds: 0, ...change },
    onState: (on, reason) => states.push(`${on ? 'on' : 'off'}: ${reason}`),
    onClip: (clip) => clips.push(clip),
    onProblem: (code, message) => {
      problems.push(code);
      messages.push(message);
    },
  });
  let newestUs = -1;
  /** A frame, and what is seen in it. */
  const feed = ({ ptsUs, ...packet }: EncodedPacket): void => {
    const captureTimeMs = START_MS + ptsUs / 1000;
    made.onPacket({ ptsUs, ...packet }, captureTimeMs);
    if (ptsUs <= newestUs) return;
    newestUs = ptsUs;
    made.onInsights({ sensor, frameId: 0, ptsUs, captureTimeMs, width: 160, height: 90, detections: [] });
  };
  return { recorder: made, clips, problems, messages, states, feed };
}

/** Times of the frames that ffprobe finds, in milliseconds from the first one. */
function probed(file: string): number[] {
  const program = path.join(path.dirname(ffmpeg.path), 'ffprobe');
  const args = ['-v', 'error', '-select_streams', 'v', '-show_entries', 'frame=pts_time', '-of', 'csv=p=0', file];
  const text = execFileSync(existsSync(program) ? program : 'ffprobe', args, { encoding: 'utf8' });
  return text
    .trim()
    .split(/\s+/)
    .map((time) => Math.round(parseFloat(time) * 1000));
}

/** The same from the JSON beside. */
function told(clip: string): number[] {
  const document = JSON.parse(readFileSync(clip.replace(/mp4$/, 'json'), 'utf8')) as ClipDocument;
  const times = document.inferences.map(({ sourceInfo }) => Date.parse(sourceInfo.timestamp));
  return times.map((time) => time - times[0]!);
}

const visible = (folder: string): string[] => readdirSync(folder).sort();

describe('clip and JSON', () => {
  test('have the same frames at the same times, over rotation, and nothing is missing between clips', async () => {
    const folder = path.join(root, 'rotation');
    const cameras = ['left', 'right'].map((sensor) => recorder(folder, { clipSeconds: 2, sensorSuffix: true }, sensor));
    for (const { recorder: one, feed } of cameras) {
      one.onHeader(long.header);
      one.record(true, 'asked for');
      long.packets.forEach((packet) => feed(packet));
      await one.stop();
    }
    for (const { clips, problems } of cameras) {
      expect(problems).toEqual([]);
      expect(clips.map(({ frames }) => frames)).toEqual([50, 50, 50]);
      for (const clip of clips) {
        expect(probed(clip.path)).toHaveLength(clip.frames);
        expect(told(clip.path)).toEqual(probed(clip.path));
      }
    }
    expect(visible(folder)).toHaveLength(12);
    expect(visible(folder).slice(0, 2)).toEqual(['p-2026-01-02-03:04:05_left.json', 'p-2026-01-02-03:04:05_left.mp4']);
  });

  test('go on for the post-roll, and through it when recording is asked for again', async () => {
    const { recorder: one, clips, states, feed } = recorder(path.join(root, 'post'), { postRollSeconds: 1 });
    one.onHeader(long.header);
    const at = (seconds: number) => Math.round(seconds * 25);
    one.record(true, 'a');
    long.packets.slice(0, at(1)).forEach((packet) => feed(packet));
    one.record(false, 'b');
    long.packets.slice(at(1), at(1.5)).forEach((packet) => feed(packet));
    one.record(true, 'c');
    long.packets.slice(at(1.5), at(3)).forEach((packet) => feed(packet));
    one.record(false, 'd');
    long.packets.slice(at(3)).forEach((packet) => feed(packet));
    await one.stop();
    expect(states).toEqual(['on: a', 'off: d']);
    expect(clips).toHaveLength(1);
    expect(clips[0]!.seconds).toBeGreaterThanOrEqual(3.9);
    expect(clips[0]!.seconds).toBeLessThan(4.3);
  });

  test('stay apart where the camera changes its picture, with the same header or another', async () => {
    const small = await read(made('small.ts', '160x90', 1));
    const large = await read(made('large.ts', '320x180', 1));
    const moved = large.packets.map((packet) => ({ ...packet, ptsUs: packet.ptsUs + 2_000_000 }));
    for (const newHeader of [false, true]) {
      const { recorder: one, clips, problems, feed } = recorder(path.join(root, `change-${newHeader}`));
      one.onHeader(small.header);
      one.record(true, 'asked for');
      small.packets.forEach((packet) => feed(packet));
      if (newHeader) one.onHeader(large.header);
      moved.forEach((packet) => feed(packet));
      await one.stop();
      expect(problems).toEqual([]);
      expect(clips.map(({ frames }) => frames)).toEqual([25, 25]);
      for (const clip of clips) expect(told(clip.path)).toEqual(probed(clip.path));
    }
  });
});

describe('a recorder that is killed', () => {
  test('leaves a clip that plays up to that moment, and the next start finishes it with its JSON', async () => {
    const folder = path.join(root, 'killed');
    mkdirSync(folder);
    const script = path.join(root, 'victim.mjs');
    const source = (name: string): string => JSON.stringify(path.join(import.meta.dirname, `../src/${name}`));
    writeFileSync(
      script,
      `import { ClipRecorder } from ${source('camera/clip-recorder.ts')};
       import { VideoSource, resolveFfmpeg } from ${JSON.stringify(import.meta.resolve('@vantage/media').replace('file://', ''))};
       const quiet = () => undefined;
       const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
       const ffmpeg = await resolveFfmpeg();
       const settings = { folder: ${JSON.stringify(folder)}, prefix: 'p', sensorSuffix: false, pipelineId: 'P',
         preRollSeconds: 0, clipSeconds: 60, autoStopSeconds: 0 };
       const recorder = new ClipRecorder({ sensor: 'gate', ffmpeg, settings, regions: [], onState: quiet, onClip: quiet,
         onProblem: (code, message) => { throw new Error(message); } });
       let packets = 0;
       new VideoSource({ url: ${JSON.stringify(path.join(root, 'long.mp4'))}, ffmpeg, encoded: true, pace: 'realtime',
         loop: true, reconnect: false, logger }, {
         onHeader: (bytes) => recorder.onHeader(bytes),
         onPacket: (packet) => {
           recorder.record(true, 'asked for');
           const captureTimeMs = ${START_MS} + packet.ptsUs / 1000;
           recorder.onPacket(packet, captureTimeMs);
           recorder.onInsights({ sensor: 'gate', frameId: 7000 + packets, ptsUs: packet.ptsUs, captureTimeMs, width: 160,
             height: 90, detections: [] });
           if (++packets === 80) process.send('recording');
         },
       }).start();`,
    );
    const child = fork(script, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'close');
    const [open] = visible(folder).filter((name) => name.endsWith('.mp4.part'));
    const left = probed(path.join(folder, open!));
    // Of 80 frames, at most the last second was not yet on the disk.
    expect(left.length).toBeGreaterThanOrEqual(50);

    expect(await recoverClips(folder, logger)).toBe(1);
    expect(visible(folder)).toEqual(['p-2026-01-02-03:04:05.json', 'p-2026-01-02-03:04:05.mp4']);
    const clip = path.join(folder, 'p-2026-01-02-03:04:05.mp4');
    expect(probed(clip)).toEqual(left);
    expect(told(clip)).toEqual(left);
    const { inferences } = JSON.parse(readFileSync(clip.replace('mp4', 'json'), 'utf8')) as ClipDocument;
    expect(inferences[0]!.sourceInfo).toMatchObject({ id: 'gate', frameId: 7000, width: 160 });
    expect(await recoverClips(folder, logger)).toBe(0);
  });

  test('before a whole fragment leaves nothing to play, and that is cleared away', async () => {
    const folder = path.join(root, 'early');
    mkdirSync(folder);
    for (const name of ['.p-1.mp4.part', '.p-1.json.part', '.p-2.json.part'])
      writeFileSync(path.join(folder, name), '');
    expect(await recoverClips(folder, logger)).toBe(0);
    expect(visible(folder)).toEqual([]);
  });
});

test('a folder that cannot be is told once, with what to do, and recording goes on when it can be', async () => {
  const blocked = path.join(root, 'blocked');
  writeFileSync(blocked, '');
  const folder = path.join(blocked, 'clips');
  const { recorder: one, clips, messages, states, feed } = recorder(path.join(root, 'other'), { folder });
  one.onHeader(long.header);
  one.record(true, 'asked for');
  let at = 0;
  const next = async (): Promise<void> => {
    const { length } = long.packets;
    const packet = long.packets[at % length]!;
    feed({ ...packet, ptsUs: packet.ptsUs + Math.floor(at / length) * 6_000_000 });
    at += 1;
    await new Promise((resolve) => setImmediate(resolve));
  };
  for (let few = 0; few < 60; few += 1) await next();
  rmSync(blocked);
  while (states.length < 2) await next();
  for (let more = 0; more < 60; more += 1) await next();
  await one.stop();
  expect(messages).toEqual([
    expect.stringMatching(
      /^gate is not recorded into .*clips: ENOTDIR: .*See that the module may write there; it goes on by itself\.$/,
    ),
  ]);
  expect(clips).toHaveLength(1);
  expect(told(clips[0]!.path)).toEqual(probed(clips[0]!.path));
});

describe('a full disk', () => {
  const disk = path.join(root, 'disk');
  const isMounted = ((): boolean => {
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', disk], { stdio: 'ignore' });
      return true;
    } catch {
      process.stderr.write('skipped: a small disk cannot be mounted here, so none is full\n');
      return false;
    }
  })();
  afterAll(() => {
    if (isMounted) execFileSync('umount', [disk]);
  });

  test('pauses recording with a problem, keeps what is there, and recording goes on when there is room', async () => {
    if (!isMounted) return;
    const { recorder: one, clips, problems, states, feed } = recorder(disk);
    const ballast = path.join(disk, 'ballast');
    const files = (): Map<string, Buffer> =>
      new Map(visible(disk).map((name) => [name, readFileSync(path.join(disk, name))]));
    const again = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    one.onHeader(long.header);
    one.record(true, 'asked for');
    long.packets.slice(0, 40).forEach((packet) => feed(packet));
    one.record(false, 'enough');
    while (clips.length === 0) await again();
    const closed = files();
    expect([...closed.keys()]).toEqual(['p-2026-01-02-03:04:05.json', 'p-2026-01-02-03:04:05.mp4']);
    one.record(true, 'asked for again');
    long.packets.slice(40, 100).forEach((packet) => feed(packet));
    const open = (): string | undefined => visible(disk).find((name) => name.endsWith('.mp4.part'));
    while (statSync(path.join(disk, open() ?? ''), { throwIfNoEntry: false })!.size < 20_000) await again();
    const cut = open()!.slice(1, -'.part'.length);
    // What somebody else puts there: all that is left, but for a little.
    execFileSync('sh', ['-c', `cat /dev/zero > ${ballast} 2>/dev/null; true`]);
    let at = 100;
    const offsetUs = (round: number): number => round * 6_000_000;
    const next = (): void => {
      const { length } = long.packets;
      const packet = long.packets[at % length]!;
      feed({ ...packet, ptsUs: packet.ptsUs + offsetUs(Math.floor(at / length)) });
      at += 1;
    };
    const until = async (isDone: () => boolean): Promise<void> => {
      while (!isDone()) {
        next();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await until(() => problems.length > 0);
    expect(problems).toEqual(['RECORDING_PAUSED']);
    rmSync(ballast);
    await until(() => states.length > 3);
    expect(states.slice(1)).toEqual(['off: enough', 'on: asked for again', 'on: there is room in the folder again']);
    for (let more = 0; more < 60; more += 1) next();
    await one.stop();
    expect(problems).toEqual(['RECORDING_PAUSED']);
    const whole = visible(disk).filter((name) => name.endsWith('.mp4'));
    expect(whole.length).toBeGreaterThanOrEqual(3);
    for (const [name, bytes] of closed) expect(files().get(name)!.equals(bytes)).toBe(true);
    // As long as what the disk took, to the second.
    expect(probed(path.join(disk, cut)).length).toBeGreaterThanOrEqual(25);
    for (const name of whole) expect(told(path.join(disk, name))).toEqual(probed(path.join(disk, name)));
    expect(visible(disk).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(clips.length).toBeGreaterThanOrEqual(1);
  });
});
