import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { VantageError, messageOf } from '@vantage/contracts';
import { decodePicture, type NodePicture } from '@vantage/custom-node';
import { resolveFfmpeg } from '@vantage/media';
import { listInputs } from '../../infer/inputs.ts';

/** 8K and its header. */
const MAX_FILE = 128 * 1024 * 1024;
const MAX_COMPLAINT = 1000;
const UNANNOUNCED = { width: 0, height: 0, colorFormat: 'BGR' } as const;

/**
 * The pictures of an image, a video or a folder of images, one after the other; the next is decoded when it is asked for.
 *
 * @throws VantageError INPUT_MISSING, INPUT_EMPTY, INPUT_UNREADABLE
 */
export async function* picturesOf(input: string, maxFrames: number): AsyncGenerator<NodePicture> {
  let left = maxFrames;
  for (const { file } of await listInputs(input)) {
    if (left <= 0) return;
    for await (const picture of decode(file, left)) {
      yield picture;
      left -= 1;
    }
  }
}

/** ffmpeg writes .bmp files, whose headers say how long they are and how large their pictures: nothing has to be asked before. */
async function* decode(file: string, maxFrames: number): AsyncGenerator<NodePicture> {
  const { path: ffmpeg } = await resolveFfmpeg();
  const options = ['-nostdin', '-loglevel', 'error', '-i', file, '-frames:v', String(maxFrames)];
  const child = spawn(ffmpeg, [...options, '-f', 'image2pipe', '-c:v', 'bmp', '-pix_fmt', 'bgr24', '-'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close');
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => (complaint = (complaint + text.toString()).slice(-MAX_COMPLAINT)));
  const held = new Held();
  let count = 0;
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      held.add(chunk);
      for (let one = held.take(file); one; one = held.take(file)) {
        yield await decodePicture(one, 'bmp', UNANNOUNCED);
        count += 1;
      }
    }
    await ended;
  } catch (error) {
    throw unreadable(file, messageOf(error));
  } finally {
    child.kill('SIGKILL');
  }
  if (count === 0) throw unreadable(file, complaint.trim() || 'ffmpeg finds no picture in it');
}

/** Bytes until they make a file. */
class Held {
  #chunks: Buffer[] = [];
  #length = 0;

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  take(file: string): Buffer | undefined {
    if (this.#length < 6) return undefined;
    if ((this.#chunks[0]?.length ?? 0) < 6) this.#join();
    const size = this.#size(file);
    if (this.#length < size) return undefined;
    const all = this.#join();
    this.#chunks = [all.subarray(size)];
    this.#length = all.length - size;
    return all.subarray(0, size);
  }

  #size(file: string): number {
    const first = this.#chunks[0] ?? Buffer.alloc(6);
    const size = first.readUInt32LE(2);
    if (first.toString('latin1', 0, 2) !== 'BM' || size < 54 || size > MAX_FILE)
      throw unreadable(file, 'ffmpeg answers something else than pictures');
    return size;
  }

  #join(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}

function unreadable(file: string, reason: string): VantageError {
  return new VantageError('INPUT_UNREADABLE', `${file} cannot be read: ${reason}`);
}
