import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  ClipWriter,
  PacketRing,
  loadPicture,
  openClipName,
  removeStaleClips,
  repairHybrid,
  type EncodedPacket,
  type Ffmpeg,
} from '../src/index.ts';
import { ascending, assets, everyFfmpeg, probedTimesUs, record, temporaryFolder } from './support.ts';

const media = assets();
const folder = temporaryFolder();
let programs: Ffmpeg[] = [];
let ffmpeg: Ffmpeg;
const clip = join(folder.path, 'source.mp4');

beforeAll(async () => {
  programs = await everyFfmpeg();
  ffmpeg = programs[0]!;
  const make = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=4', '-c:v', 'libx264'];
  execFileSync(ffmpeg.path, [...make, '-pix_fmt', 'yuv420p', '-g', '25', '-y', clip]);
});
afterAll(() => folder.remove());

function packet(ptsUs: number, key: boolean, bytes = 100): EncodedPacket {
  return { ptsUs, key, bytes: new Uint8Array(bytes) };
}

describe('the pre-roll ring', () => {
  test('keeps whole groups for at least the time asked for', () => {
    const ring = new PacketRing({ seconds: 2 });
    for (let i = 0; i < 100; i++) ring.push(packet(i * 100_000, i % 10 === 0));
    const kept = ring.since(-1);
    expect(kept[0]).toMatchObject({ key: true, ptsUs: 7_000_000 });
    expect(ring.seconds).toBeCloseTo(2.9);
    expect(ring.since(8_500_000)[0]!.ptsUs).toBe(8_000_000);
  });

  test('holds its limit in bytes, even when one group alone is above it', () => {
    const ring = new PacketRing({ seconds: 100, maxBytes: 1000 });
    for (let i = 0; i < 50; i++) ring.push(packet(i, i === 0));
    expect(ring.sizeBytes).toBeLessThanOrEqual(1000);
    expect(ring.dropped).toBe(11);
    for (let i = 0; i < 30; i++) ring.push(packet(i, i % 5 === 0));
    expect(ring.sizeBytes).toBeLessThanOrEqual(1000);
    expect(ring.since(0)[0]!.key).toBe(true);
  });

  test('forgets packets that another header made', () => {
    const ring = new PacketRing({ seconds: 1 });
    expect(ring.setHeader(Uint8Array.of(1))).toBe(false);
    ring.push(packet(0, true));
    expect(ring.setHeader(Uint8Array.of(1))).toBe(false);
    expect(ring.setHeader(Uint8Array.of(2))).toBe(true);
    expect(ring.since(0)).toEqual([]);
  });
});

describe('a clip', () => {
  test('starts at a keyframe before the time asked for and has every frame at its time, with every ffmpeg', async () => {
    for (const program of programs) {
      const ring = new PacketRing({ seconds: 10 });
      const { headers, packets } = await record({ url: clip, ffmpeg: program, picture: undefined });
      ring.setHeader(headers[0]!);
      for (const each of packets.slice(0, 60)) ring.push(each);
      const path = join(folder.path, `clip:${programs.indexOf(program)}.mp4`);
      const writer = ClipWriter.open({ ring, ffmpeg: program, path, fromPtsUs: 1_500_000 });
      for (const each of packets.slice(60)) writer.push(each);
      const result = await writer.close();
      expect(result).toMatchObject({ path, firstPtsUs: 1_000_000, lastPtsUs: 3_960_000, frames: 75 });
      const times = probedTimesUs(path, ffmpeg);
      expect(times).toEqual(result.timesUs.map((time) => time - result.firstPtsUs));
      expect(readdirSync(folder.path).filter((name) => name.startsWith('.'))).toEqual([]);
    }
  });

  test('of a real camera has its frames at their times', async () => {
    if (media === undefined) return;
    const { headers, packets } = await record({
      url: join(media, 'videos/o4n-people.mp4'),
      ffmpeg,
      picture: undefined,
      maxFrames: 200,
    });
    const ring = new PacketRing({ seconds: 60 });
    ring.setHeader(headers[0]!);
    packets.forEach((each) => ring.push(each));
    const path = join(folder.path, 'real.mp4');
    const result = await ClipWriter.open({ ring, ffmpeg, path, fromPtsUs: 0 }).close();
    const wanted = ascending(packets.map(({ ptsUs }) => ptsUs));
    expect(result.timesUs).toEqual(wanted);
    const times = probedTimesUs(path, ffmpeg);
    expect(times?.length).toBe(wanted.length);
    expect(Math.max(...wanted.map((time, i) => Math.abs(time - wanted[0]! - times![i]!)))).toBeLessThanOrEqual(1);
  });

  test('is encoded to H.264 when the source is something else', async () => {
    const mpeg4 = join(folder.path, 'mpeg4.mkv');
    execFileSync(ffmpeg.path, ['-v', 'error', '-i', clip, '-t', '1', '-c:v', 'mpeg4', '-y', mpeg4]);
    const { headers, packets, streams } = await record({ url: mpeg4, ffmpeg, picture: undefined });
    expect(streams[0]!.codec).toBe('mpeg4');
    const ring = new PacketRing({ seconds: 60 });
    ring.setHeader(headers[0]!);
    packets.forEach((each) => ring.push(each));
    const path = join(folder.path, 'encoded.mp4');
    const result = await ClipWriter.open({ ring, ffmpeg, path, fromPtsUs: 0 }).close();
    const copy = await record({ url: path, ffmpeg, picture: undefined });
    expect(copy.streams[0]!.codec).toBe('h264');
    expect(ascending(copy.packets.map(({ ptsUs }) => ptsUs))).toEqual(result.timesUs);
  });

  test('cannot start before anything was received', () => {
    const ring = new PacketRing({ seconds: 1 });
    const path = join(folder.path, 'none.mp4');
    expect(() => ClipWriter.open({ ring, ffmpeg, path, fromPtsUs: 0 })).toThrow('no keyframe');
  });

  test('that cannot be written fails and leaves nothing', async () => {
    const ring = new PacketRing({ seconds: 1 });
    ring.setHeader((await record({ url: clip, ffmpeg, picture: undefined, maxFrames: 1 })).headers[0]!);
    ring.push(packet(0, true));
    const path = join(folder.path, 'no-such-folder/clip.mp4');
    const writer = ClipWriter.open({ ring, ffmpeg, path, fromPtsUs: 0 });
    await expect(writer.close()).rejects.toMatchObject({ code: 'MEDIA_CLIP_FAILED' });
  });

  test('of a killed process never has its final name', async () => {
    const path = join(folder.path, 'killed.mp4');
    const script = join(folder.path, 'writer.mjs');
    const index = join(import.meta.dirname, '../src/index.ts');
    writeFileSync(
      script,
      `import { existsSync, statSync } from 'node:fs';
       const part = ${JSON.stringify(openClipName(path))};
       import { ClipWriter, PacketRing, VideoSource, resolveFfmpeg } from ${JSON.stringify(index)};
       const quiet = () => undefined;
       const logger = { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };
       const ffmpeg = await resolveFfmpeg();
       const ring = new PacketRing({ seconds: 60 });
       new VideoSource({ url: ${JSON.stringify(clip)}, ffmpeg, encoded: true, pace: 'asFastAsPossible', loop: false, reconnect: false, logger }, {
         onHeader: (bytes) => ring.setHeader(bytes),
         onPacket: (packet) => ring.push(packet),
         onState: ({ state }) => {
           if (state !== 'ended') return;
           const writer = ClipWriter.open({ ring, ffmpeg, path: ${JSON.stringify(path)}, fromPtsUs: 0 });
           const [last] = ring.since(Infinity).slice(-1);
           // The next group puts the one before it into the file.
           writer.push({ ...last, key: true, ptsUs: last.ptsUs + 40_000 });
           const written = () => existsSync(part) && statSync(part).size > 10_000;
           const check = () => (written() ? process.send('open') : setImmediate(check));
           check();
         },
       }).start();`,
    );
    const child = fork(script, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    await once(child, 'message');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(readdirSync(folder.path)).not.toContain('killed.mp4');
    const left = await repairHybrid(openClipName(path));
    expect(left!.timesUs.length).toBeGreaterThanOrEqual(25);
    expect(probedTimesUs(openClipName(path), ffmpeg)).toEqual(left!.timesUs);
    // Again: nothing to do any more.
    expect(await repairHybrid(openClipName(path))).toEqual(left);
    rmSync(openClipName(path));
    writeFileSync(join(folder.path, '.vantage-clip-x.mp4.00.tmp'), '');
    expect(await removeStaleClips(folder.path)).toBeGreaterThanOrEqual(1);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('a still picture', () => {
  const request = { networkWidth: 416, networkHeight: 416, keepAspect: true };

  test('comes from a file or from bytes, the same', async () => {
    if (media === undefined) return;
    const path = join(media, 'images/o4n-husky.jpg');
    const fromFile = await loadPicture(path, request, ffmpeg);
    const fromBytes = await loadPicture(readFileSync(path), request, ffmpeg);
    expect(fromFile).toMatchObject({ width: 312, height: 416, sourceWidth: 194, sourceHeight: 259 });
    expect(Buffer.compare(Buffer.from(fromFile.buffer), Buffer.from(fromBytes.buffer))).toBe(0);
    const png = await loadPicture(join(media, 'images/frame-people-00060.png'), request, ffmpeg);
    expect(png).toMatchObject({ width: 416, height: 234, sourceWidth: 800, sourceHeight: 450 });
  });

  test('that is none says so', async () => {
    await expect(loadPicture(Buffer.from('not a picture'), request, ffmpeg)).rejects.toThrow(/is not a picture/);
    await expect(loadPicture('/nowhere/x.jpg', request, ffmpeg)).rejects.toMatchObject({ code: 'MEDIA_STILL_FAILED' });
  });
});
