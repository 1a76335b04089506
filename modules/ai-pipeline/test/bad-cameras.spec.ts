import { execFileSync } from 'node:child_process';
import { closeSync, copyFileSync, fstatSync, openSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { SourceNode } from '@vantage/skill';
import { ASSETS, describeWithAssets } from '../../../e2e/support/assets.ts';
import type { CameraStatus } from '../src/index.ts';
import { Bench, PEOPLE_FILE, SECRET, source } from './bad-input-bench.ts';

const PEOPLE = pathToFileURL(PEOPLE_FILE).href;

describeWithAssets('a bad camera leaves everything else running', () => {
  const bench = new Bench();
  let mute: Server;
  const muteSockets = new Set<Socket>();

  beforeAll(async () => {
    await bench.start();
    copyFileSync(path.join(ASSETS, 'negative/lfs-pointer.mp4'), path.join(bench.folder, 'pointer.mp4'));
    mute = createServer((socket) => muteSockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((done) => mute.listen(0, '127.0.0.1', done));
  });

  afterEach(() => bench.reset());

  afterAll(async () => {
    await bench.stop();
    for (const socket of muteSockets) socket.destroy();
    mute.close();
  });

  /** A camera's trouble is its state and a reason; the pipeline runs, and so do its other cameras. */
  async function troubleWith(url: string, more: Partial<SourceNode> = {}): Promise<CameraStatus> {
    await bench.addBad(undefined, source(url, more));
    return bench.until(() => {
      const camera = bench.camera('bad');
      return camera && (camera.state === 'reconnecting' || camera.state === 'failed') && camera;
    });
  }

  test('a camera that refuses', async () => {
    const closed = createServer();
    await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const camera = await troubleWith(`rtsp://admin:${SECRET}@127.0.0.1:${port}/stream`);
    expect(camera).toMatchObject({ sensor: 'gate', state: 'reconnecting', reason: expect.stringMatching(/refused/i) });
    expect(JSON.stringify(camera) + bench.warnings.join('')).not.toContain(SECRET);
    await bench.goodGoesOn();
  });

  test('a camera that accepts and never answers', async () => {
    const { port } = mute.address() as AddressInfo;
    const asked = new Promise<void>((done) => mute.once('connection', (socket) => socket.once('data', () => done())));
    await bench.addBad(undefined, source(`rtsp://admin:${SECRET}@127.0.0.1:${port}/stream`));
    await asked;
    expect(bench.camera('bad')).toMatchObject({ state: 'connecting', sensor: 'gate' });
    await bench.goodGoesOn();
  });

  test.each([
    ['a Git LFS pointer', 'pointer.mp4', /pointer\.mp4 is a Git LFS pointer, not a video: run "git lfs pull"/],
    ['a missing file', 'absent.mp4', /there is no file .*absent\.mp4/],
    ['a text', 'good.txt', /^it holds no video$|invalid data/i],
  ])('a camera file that is %s', async (_what, name, reason) => {
    const url = pathToFileURL(path.join(bench.folder, name)).href;
    const camera = await troubleWith(url, { pace: 'asFastAsPossible', loop: false });
    expect(camera).toMatchObject({ state: 'failed', reason: expect.stringMatching(reason) });
    await bench.goodGoesOn();
  });

  test('a camera file that comes later', async () => {
    const file = path.join(bench.folder, 'later.mp4');
    const camera = await troubleWith(pathToFileURL(file).href);
    expect(camera).toMatchObject({ state: 'reconnecting', reason: `there is no file ${file}` });
    symlinkSync(PEOPLE_FILE, file);
    await bench.until(() => bench.frames.has('bad'));
    expect(bench.camera('bad')).toMatchObject({ state: 'running', reason: '' });
  });

  test('a killed ffmpeg is started again, and the camera goes on', async () => {
    const file = path.join(bench.folder, 'killed.mp4');
    symlinkSync(PEOPLE_FILE, file);
    await bench.addBad(undefined, source(pathToFileURL(file).href));
    await bench.until(() => bench.frames.has('bad'));
    const own = execFileSync('ps', ['-axo', 'pid=,ppid=,args='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, parent, ...words]) => Number(parent) === process.pid && words.join(' ').includes(file));
    expect(own).toHaveLength(1);
    process.kill(Number(own[0]![0]), 'SIGKILL');
    const camera = await bench.until(() => {
      const found = bench.camera('bad');
      return found?.state === 'reconnecting' && found;
    });
    expect(camera.reason).toBe('ffmpeg was ended by SIGKILL');
    const before = bench.frames.get('bad')!.at(-1)!;
    await bench.goodGoesOn();
    const after = await bench.until(() => {
      const newest = bench.frames.get('bad')!.at(-1)!;
      return newest.frameId > before.frameId && newest;
    });
    expect(bench.camera('bad')?.state).toBe('running');
    expect(after.ptsUs).toBeGreaterThan(before.ptsUs);
  });

  test("a camera's thread that ends closes no file of others", async () => {
    const picture = pathToFileURL(path.join(ASSETS, 'images/o4n-people.jpeg')).href;
    await bench.addBad({ configFile: 'good.txt' }, source(picture, { pace: 'asFastAsPossible', loop: false }));
    await bench.until(() => bench.camera('bad')?.state === 'ended');
    // These take the numbers that the camera's pipe had, while its thread still lives.
    const files = Array.from({ length: 32 }, () => openSync('/dev/null', 'r'));
    await bench.removeBad();
    const lost = files.filter((file) => {
      try {
        return fstatSync(file) === undefined;
      } catch {
        return true;
      }
    });
    for (const file of files) if (!lost.includes(file)) closeSync(file);
    expect(lost).toEqual([]);
  });

  test('a camera file that ends, after its last frame was handed on', async () => {
    await bench.addBad(undefined, source(PEOPLE, { pace: 'asFastAsPossible', loop: false }));
    await bench.until(() => bench.camera('bad')?.state === 'ended');
    expect(bench.camera('bad')?.counters.packets).toBe(bench.frames.get('bad')!.at(-1)!.frameId + 1);
    expect(bench.problems).toEqual([]);
    await bench.goodGoesOn();
  });
});
