import { spawn } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { messageOf } from '@vantage/contracts';
import { stillFailed } from './errors.ts';
import { FfmpegLog } from './ffmpeg-log.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { NutReader } from './nut-reader.ts';
import { pictureBytes, pictureFilter, type PictureRequest } from './picture.ts';

const MAX_FILE_BYTES = 64 << 20;
const TIMEOUT_MS = 20_000;

export interface StillPicture {
  /** Planes G, B, R, each `width * height` bytes. */
  readonly buffer: ArrayBuffer;
  readonly width: number;
  readonly height: number;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
}

/**
 * One picture from an image (JPEG, PNG, BMP, WebP), through the filter that video frames go through.
 * `image` is a path or the file's bytes. A camera's rotation mark (EXIF) is not applied.
 *
 * @throws MEDIA_STILL_FAILED
 */
export async function loadPicture(
  image: string | Uint8Array,
  request: PictureRequest,
  ffmpeg: Ffmpeg,
): Promise<StillPicture> {
  const bytes = typeof image === 'string' ? await readImage(image) : image;
  const name = typeof image === 'string' ? image : 'the image';
  return new Promise((resolve, reject) => {
    const single: PictureRequest = { ...request, everyNth: 1 };
    const log = new FfmpegLog('');
    // Through a pipe, because a file name with % in it would be taken for a pattern of names.
    const child = spawn(
      ffmpeg.path,
      [
        ...['-hide_banner', '-nostats', '-loglevel', 'level+info', '-filter_threads', '1', '-threads', '1'],
        ...['-noautorotate', '-i', 'pipe:0', '-map', '0:V:0', '-vf', pictureFilter(single), '-frames:v', '1'],
        ...['-c:v', 'rawvideo', '-f', 'nut', 'pipe:1'],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    let result: { buffer: ArrayBuffer; width: number; height: number } | undefined;
    let failure: string | undefined;
    const reader = new NutReader({
      onStreams: () => undefined,
      allocate: ({ sizeBytes, stream }) => {
        if (sizeBytes !== pictureBytes(stream.width, stream.height)) throw stillFailed(`${name}: unexpected size`);
        return new Uint8Array(sizeBytes);
      },
      onFrame: ({ stream }, data) => {
        result ??= { buffer: data.buffer as ArrayBuffer, width: stream.width, height: stream.height };
      },
    });
    const timer = setTimeout(() => {
      failure = `${name}: no picture within ${TIMEOUT_MS} ms`;
      child.kill('SIGKILL');
    }, TIMEOUT_MS);
    child.stdin.on('error', () => undefined); // ffmpeg may close its input once it has the picture
    child.stdin.end(bytes);
    child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
    child.stdout.on('data', (chunk: Uint8Array) => {
      try {
        reader.push(chunk);
      } catch (error) {
        failure ??= messageOf(error);
        child.kill('SIGKILL');
      }
    });
    child.on('error', (error) => (failure ??= messageOf(error)));
    child.on('close', () => {
      clearTimeout(timer);
      if (result === undefined || failure !== undefined) {
        reject(stillFailed(failure ?? `${name} is not a picture: ${log.reason() ?? 'ffmpeg found none in it'}`));
        return;
      }
      const { width: sourceWidth, height: sourceHeight } = log.info ?? result;
      resolve({ ...result, sourceWidth, sourceHeight });
    });
  });
}

async function readImage(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) throw stillFailed(`${path} is larger than ${MAX_FILE_BYTES} bytes`);
    return await readFile(path);
  } catch (error) {
    throw stillFailed(messageOf(error));
  }
}
