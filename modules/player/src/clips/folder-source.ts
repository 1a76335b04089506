import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { codeOf, messageOf } from '@vantage/contracts';
import type { ApiClipSource } from '../api.ts';
import { splitFileName } from './clip-name.ts';
import type { ClipSource, SourceFile } from './clip-source.ts';

const AT_ONCE = 64;
/** Files of a finished clip do not change: they are looked at once. */
const MAX_KNOWN = 100_000;

/** The recorder's folder on this device. */
export class FolderSource implements ClipSource {
  readonly where = 'device';
  readonly #folder: string;
  #known = new Map<string, SourceFile>();
  state: ApiClipSource = { state: 'ok' };

  constructor(folder: string) {
    this.#folder = folder;
  }

  async list(): Promise<readonly SourceFile[] | undefined> {
    let names: string[];
    try {
      names = await readdir(this.#folder);
      this.state = { state: 'ok' };
    } catch (error) {
      const isMissing = codeOf(error) === 'ENOENT';
      this.state = isMissing
        ? { state: 'missing', message: 'the folder of recordings is not there: nothing was recorded yet' }
        : { state: 'unreachable', message: `the folder of recordings cannot be read: ${messageOf(error)}` };
      return isMissing ? [] : undefined;
    }
    const known = new Map<string, SourceFile>();
    const fresh: string[] = [];
    for (const name of names.slice(0, MAX_KNOWN)) {
      const file = this.#known.get(name);
      if (file) known.set(name, file);
      else if (splitFileName(name)) fresh.push(name);
    }
    for (let at = 0; at < fresh.length; at += AT_ONCE) {
      const found = await Promise.all(fresh.slice(at, at + AT_ONCE).map((name) => this.#look(name)));
      for (const file of found) if (file) known.set(path.basename(file.at), file);
    }
    this.#known = known;
    return [...known.values()];
  }

  open(file: SourceFile, start: number, end: number): Promise<Readable> {
    return Promise.resolve(createReadStream(file.at, { start, end }));
  }

  async #look(name: string): Promise<SourceFile | undefined> {
    const split = splitFileName(name);
    const at = path.join(this.#folder, name);
    const stats = await stat(at).catch(() => undefined);
    if (!split || !stats?.isFile()) return undefined;
    return { ...split, at, bytes: stats.size, version: `${stats.size}-${Math.round(stats.mtimeMs)}` };
  }
}
