import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { VideoSource, pictureFilter, resolveFfmpeg, type Ffmpeg, type PictureRequest } from '@vantage/media';
import { silentLogger } from '@vantage/observability';
import { asset } from './assets.ts';
import { median, type Bench } from './bench.ts';
import { cpuMs } from './cpu-time.ts';

const ROUNDS = 5;
const PICTURE: PictureRequest = { networkWidth: 416, networkHeight: 416, keepAspect: true };

/** P4: CPU time a frame of decoding, scaling and handing pictures to Node, against ffmpeg with the same filter to nowhere. */
export const decodeCost: Bench = {
  id: 'P4',
  title: 'decode and scale into Node, against ffmpeg with the same filter to a null output',
  unit: 'CPU ms/frame',
  goal: 1.15,
  better: 'lower',
  async run(note) {
    if (process.platform !== 'linux') throw new Error('P4 reads CPU times from /proc and runs on Linux only');
    const ffmpeg = await resolveFfmpeg();
    const folder = await mkdtemp(path.join(os.tmpdir(), 'vantage-bench-'));
    const video = path.join(folder, 'camera.mp4');
    await encodeCamera(ffmpeg, video);
    const ours: number[] = [];
    const reference: number[] = [];
    await readPictures(ffmpeg, video);
    for (let round = 1; round <= ROUNDS; round++) {
      const alone = await cpuMs(() => ffmpegAlone(ffmpeg, video));
      const into = await cpuMs(() => readPictures(ffmpeg, video));
      reference.push(alone.cpuMs / into.result);
      ours.push(into.cpuMs / into.result);
      note(
        `round ${round}: ffmpeg alone ${reference.at(-1)?.toFixed(2)}, into Node ${ours.at(-1)?.toFixed(2)} ms/frame`,
      );
    }
    await rm(folder, { recursive: true });
    return { ours: median(ours), reference: median(reference) };
  },
};

/** A real scene at a camera's usual 1280 x 720: the assets' own films are smaller, and cheap to decode. */
async function encodeCamera(ffmpeg: Ffmpeg, video: string): Promise<void> {
  const encode = ['-vf', 'scale=1280:720', '-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '2M', '-an', video];
  await run(ffmpeg, ['-v', 'error', '-i', asset('videos/o4n-people.mp4'), ...encode]);
}

async function run(ffmpeg: Ffmpeg, args: readonly string[]): Promise<void> {
  const child = spawn(ffmpeg.path, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`ffmpeg ended with status ${status}`);
}

async function ffmpegAlone(ffmpeg: Ffmpeg, video: string): Promise<number> {
  const input = ['-v', 'error', '-filter_threads', '1', '-threads', '1', '-i', video, '-map', '0:V:0'];
  await run(ffmpeg, [...input, '-vf', pictureFilter(PICTURE), '-f', 'null', '-']);
  return 0;
}

async function readPictures(ffmpeg: Ffmpeg, video: string): Promise<number> {
  let frames = 0;
  let buffer: ArrayBuffer | undefined;
  await new Promise<void>((resolve) => {
    new VideoSource(
      {
        url: pathToFileURL(video).href,
        ffmpeg,
        picture: PICTURE,
        encoded: false,
        pace: 'asFastAsPossible',
        loop: false,
        reconnect: false,
        logger: silentLogger,
      },
      {
        takeBuffer: (bytes) => (buffer ??= new ArrayBuffer(bytes)),
        onPicture: () => void frames++,
        onState: ({ state }) => {
          if (state === 'ended' || state === 'failed') resolve();
        },
      },
    ).start();
  });
  return frames;
}
