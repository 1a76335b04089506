import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '@vantage/deepstream';
import { VideoSource, planDewarp, type Ffmpeg, type Picture, type PictureRequest } from '../src/index.ts';
import { everyFfmpeg, record, silent, temporaryFolder } from './support.ts';

const folder = temporaryFolder();
/** 75 frames with B-frames, a group of 15, 160x90, 25 per second. */
const clip = join(folder.path, 'clip.mp4');
let programs: Ffmpeg[] = [];
let ffmpeg: Ffmpeg;
/** The same for 20 seconds: no machine is so busy that a decoder takes that long to start. */
const longClip = join(folder.path, 'long.mp4');
const small = { networkWidth: 96, networkHeight: 96, keepAspect: true };

beforeAll(async () => {
  programs = await everyFfmpeg();
  ffmpeg = programs[0]!;
  const make = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=3', '-c:v', 'libx264'];
  execFileSync(ffmpeg.path, [...make, '-preset', 'medium', '-pix_fmt', 'yuv420p', '-g', '15', '-y', clip]);
  execFileSync(ffmpeg.path, ['-v', 'error', '-stream_loop', '6', '-i', clip, '-c', 'copy', '-y', longClip]);
});

afterAll(() => folder.remove());

const times = (count: number): number[] => Array.from({ length: count }, (_, index) => index * 40_000);

test('the full picture comes with the small one of the same frame, also when the reader pauses', async () => {
  for (const program of programs) {
    const sizes = new Set<string>();
    let at = 0;
    const { pictures } = await record(
      {
        url: clip,
        ffmpeg: program,
        picture: { ...small, full: true, crop: { left: 10, top: 0, width: 999, height: 90 } },
      },
      {
        onPicture: ({ full, width, height }) => {
          sizes.add(`${width}x${height} ${full!.width}x${full!.height} ${full!.buffer.byteLength}`);
          return at++ % 7 === 0 ? new Promise((resolve) => setImmediate(resolve)) : undefined;
        },
      },
    );
    expect(pictures.map(({ ptsUs }) => ptsUs)).toEqual(times(75));
    expect([...sizes]).toEqual([`96x58 150x90 ${150 * 90 * 3}`]);
  }
});

/** Plays the clip, asks for other pictures at some frame, and tells which frames came in which size. */
async function changed(to: PictureRequest, pace: 'realtime' | 'asFastAsPossible', atFrame: number): Promise<Picture[]> {
  const pictures: Picture[] = [];
  let switches = 0;
  let seen = 0;
  const over = Promise.withResolvers<void>();
  let change: Promise<void> | undefined;
  const source = new VideoSource(
    {
      url: pace === 'realtime' ? longClip : clip,
      ffmpeg,
      picture: small,
      encoded: true,
      pace,
      loop: false,
      reconnect: false,
      logger: silent,
    },
    {
      onPicture: (picture) => {
        pictures.push(picture);
        if (picture.sequence === atFrame) change = source.changePicture(to, () => (switches += 1));
        if (pace === 'realtime' && picture.width === 64 && ++seen === 20) over.resolve();
        // A file waits for its model: one that takes 60 ms until the other decoder has started.
        return pace === 'realtime' || switches > 0 ? undefined : new Promise((resolve) => setTimeout(resolve, 60));
      },
      onState: ({ state }) => state === 'ended' && over.resolve(),
    },
  );
  source.start();
  await over.promise;
  await change;
  await source.stop();
  expect(switches).toBe(1);
  return pictures;
}

test.each(['realtime', 'asFastAsPossible'] as const)(
  'other pictures take over and no frame is lost: %s',
  async (pace) => {
    const pictures = await changed({ networkWidth: 64, networkHeight: 64, keepAspect: false, full: true }, pace, 17);
    expect(pictures.map(({ ptsUs }) => ptsUs)).toEqual(times(pictures.length));
    if (pace === 'asFastAsPossible') expect(pictures).toHaveLength(75);
    expect(pictures.map(({ sequence }) => sequence)).toEqual(times(pictures.length).map((_, index) => index));
    const first = pictures.findIndex(({ width }) => width === 64);
    expect(first).toBeGreaterThan(17);
    expect(pictures.slice(first).every(({ width, full }) => width === 64 && full?.width === 160)).toBe(true);
    expect(pictures.slice(0, first).every(({ width, full }) => width === 96 && !full)).toBe(true);
  },
);

test('another frame rate takes over where the two have chosen different frames', async () => {
  const pictures = await changed({ networkWidth: 64, networkHeight: 64, maxFps: 7 }, 'asFastAsPossible', 17);
  const first = pictures.findIndex(({ width }) => width === 64);
  const [before, after] = [pictures.slice(0, first), pictures.slice(first)].map((part) => part.map((one) => one.ptsUs));
  expect(before).toEqual(times(first));
  const inPart = after!.map((us) => Math.floor((us * 7) / 1e6 + 0.001));
  expect(inPart).toEqual(Array.from({ length: 21 - inPart[0]! }, (_, index) => inPart[0]! + index));
});

test('a decoder that is not there is reported, and software takes its place', async () => {
  const { streams, states, pictures } = await record({ url: clip, ffmpeg, hardware: { kind: 'nvv4l2' } });
  expect(streams[0]!.decoder).toEqual({
    by: 'software',
    reason: expect.stringMatching(/^nvv4l2 was asked for, but: Unknown decoder/),
  });
  expect(states.map(({ state }) => state)).toEqual(['connecting', 'running', 'ended']);
  expect(pictures).toHaveLength(75);
});

test('a fisheye is straightened, and its clip shows what its boxes belong to', async () => {
  const lines = ['[property]', 'output-width=256', 'output-height=192', '[surface0]', 'projection-type=4'];
  lines.push('width=128', 'height=96', 'pitch=10', 'yaw=20', 'src-fov=180', 'dst-focal-length=64');
  const config = readConfig(lines.join('\n'), 'd.txt');
  if (config.kind !== 'dewarper') throw new Error(`read as ${config.kind}`);
  const { dewarp, notes } = planDewarp(config.spec);
  expect(notes).toEqual([]);
  expect(dewarp!.filter).toMatch(/^v360=input=fisheye:output=flat:ih_fov=180:iv_fov=180:h_fov=90:v_fov=73\.7/);
  const { streams, pictures, packets } = await record({
    url: clip,
    ffmpeg,
    dewarp: dewarp!,
    picture: { ...small, full: true },
  });
  expect(streams[0]).toMatchObject({ sourceWidth: 256, sourceHeight: 192, pictureWidth: 96, pictureHeight: 72 });
  expect(pictures.map(({ ptsUs }) => ptsUs)).toEqual(times(75));
  expect(pictures[0]!.full).toMatchObject({ width: 256, height: 192 });
  expect(packets.map(({ ptsUs }) => ptsUs)).toEqual(times(75));
});
