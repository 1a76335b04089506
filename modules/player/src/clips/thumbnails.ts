import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { resolveFfmpeg } from '@vantage/media';
import { thumbnailFailed } from '../errors.ts';

const KEPT = 2000;
const AT_ONCE = 2;
const MAX_WAITING = 100;
const TIMEOUT_MS = 15_000;
const WIDTH = 320;
/** Every so many new ones the folder is looked through. */
const CLEAN_EVERY = 100;

/** A small picture of each clip, made by ffmpeg when it is first asked for and kept as a file. */
export class Thumbnails {
  readonly #folder: string;
  readonly #signal: AbortSignal;
  readonly #making = new Map<string, Promise<Buffer>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #made = 0;

  constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
  }

  /**
   * A JPEG.
   *
   * @param version changes with the clip's content
   * @param input path or URL that ffmpeg reads
   * @throws VantageError THUMBNAIL_FAILED
   */
  get(version: string, input: string): Promise<Buffer> {
    const id = createHash('sha256').update(version).digest('hex').slice(0, 32);
    const making = this.#making.get(id) ?? this.#get(id, input).finally(() => this.#making.delete(id));
    this.#making.set(id, making);
    return making;
  }

  async #get(id: string, input: string): Promise<Buffer> {
    const file = path.join(this.#folder, `${id}.jpg`);
    const kept = await readFile(file).catch(() => undefined);
    if (kept) return kept;
    if (this.#waiting.length >= MAX_WAITING) throw thumbnailFailed('too many thumbnails are asked for at once');
    if (this.#running >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      await this.#make(input, file);
      return await readFile(file);
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #make(input: string, file: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#made += 1;
    if (this.#made % CLEAN_EVERY === 1) await this.#clean();
    const { path: ffmpeg } = await resolveFfmpeg();
    const part = `${file}.part.jpg`;
    // Names of clips hold colons: with "file:" they are no protocol.
    const source = /^https?:/.test(input) ? input : `file:${input}`;
    const args = ['-nostdin', '-loglevel', 'error', '-i', source, '-frames:v', '1', '-vf', `scale=${WIDTH}:-2`];
    const child = spawn(ffmpeg, [...args, '-q:v', '5', '-f', 'image2', '-y', part], {
      stdio: 'ignore',
      signal: AbortSignal.any([this.#signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    child.on('error', () => undefined);
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) {
      await rm(part, { force: true });
      throw thumbnailFailed('ffmpeg finds no picture in the clip');
    }
    await rename(part, file);
  }

  /** Any may go: what is looked at again is made again. */
  async #clean(): Promise<void> {
    const names = await readdir(this.#folder);
    for (const name of names.slice(KEPT)) await rm(path.join(this.#folder, name), { force: true });
  }
}
