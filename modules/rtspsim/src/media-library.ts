import { realpath } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';
import type { Ffmpeg } from '@vantage/media';
import { loadMediaFile, type MediaFile } from './media-file.ts';

/** What files may hold in memory together, and one alone. */
const MAX_LIBRARY_BYTES = 512 << 20;
const MAX_FILE_BYTES = 256 << 20;

/** The files of one folder by name; loaded at first use, the least recently used ones forgotten when they fill up. */
export class MediaLibrary {
  readonly #folder: string;
  readonly #ffmpeg: Ffmpeg;
  readonly #files = new Map<string, Promise<MediaFile>>();
  #sizeBytes = 0;

  constructor(folder: string, ffmpeg: Ffmpeg) {
    this.#folder = folder;
    this.#ffmpeg = ffmpeg;
  }

  /** Undefined when the folder has no such file. @throws what `loadMediaFile` throws */
  async find(name: string): Promise<MediaFile | undefined> {
    // Known players ask for .mkv where a folder may hold the .mp4 that it was made of.
    const path =
      (await this.#locate(name)) ??
      (extname(name) === '.mkv' ? await this.#locate(`${name.slice(0, -4)}.mp4`) : undefined);
    if (path === undefined) return undefined;
    const known = this.#files.get(path);
    if (known !== undefined) {
      this.#files.delete(path);
      this.#files.set(path, known);
      return known;
    }
    const loading = loadMediaFile(path, this.#ffmpeg, MAX_FILE_BYTES);
    this.#files.set(path, loading);
    try {
      this.#sizeBytes += (await loading).sizeBytes;
      await this.#forgetOldest(path);
      return await loading;
    } catch (error) {
      this.#files.delete(path);
      throw error;
    }
  }

  async #locate(name: string): Promise<string | undefined> {
    if (name === '' || name.includes('\0')) return undefined;
    try {
      const root = await realpath(this.#folder);
      const path = resolve(join(root, name));
      if (!path.startsWith(root + sep)) return undefined;
      const real = await realpath(path);
      return real.startsWith(root + sep) ? real : undefined;
    } catch {
      return undefined;
    }
  }

  async #forgetOldest(keep: string): Promise<void> {
    for (const [path, loading] of this.#files) {
      if (this.#sizeBytes <= MAX_LIBRARY_BYTES) return;
      if (path === keep) continue;
      this.#files.delete(path);
      // Sessions that play it keep their own reference.
      this.#sizeBytes -= await loading.then(
        (file) => file.sizeBytes,
        () => 0,
      );
    }
  }
}
