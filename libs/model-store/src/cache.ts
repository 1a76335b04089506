import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from '@vantage/contracts';
import type { Validators } from './download.ts';
import type { Unpacked } from './unpack.ts';

interface PackageRecord extends Unpacked {
  readonly sha256: string;
}

/** What is known of a URL: the package it last gave and how to ask whether that changed. */
export interface UrlRecord {
  readonly sha256: string;
  readonly validators: Validators;
}

/** An unpacked package in the cache. */
export interface Cached extends Unpacked {
  readonly sha256: string;
  readonly folder: string;
}

const STALE_MS = 24 * 3600_000;
const FORM = 1;

/**
 * Unpacked packages by the sha256 of their zip:
 * `packages/<sha256>/{package.json,content/}`, `urls/<sha256 of the URL>.json`, `tmp/`. A package appears by a rename, so
 * it is there whole or not at all, also with several processes on one folder.
 */
export class PackageCache {
  readonly #root: string;
  readonly #inUse = new Set<string>();

  constructor(root: string) {
    this.#root = path.resolve(root);
  }

  /** A path for a file or folder of its own that does not exist yet. The caller removes it. */
  async scratch(): Promise<string> {
    const folder = path.join(this.#root, 'tmp');
    await mkdir(folder, { recursive: true });
    return path.join(folder, randomUUID());
  }

  /** The package with this digest, if it is there and its files still have the sizes they were written with. */
  async find(sha256: string): Promise<Cached | undefined> {
    const place = this.#place(sha256);
    const record = (await readJson(path.join(place, 'package.json'))) as
      (PackageRecord & { form?: number }) | undefined;
    if (record?.form !== FORM || record.sha256 !== sha256) return undefined;
    const folder = path.join(place, 'content');
    for (const { name, bytes } of record.files) {
      const info = await stat(path.join(folder, ...name.split('/'))).catch(() => undefined);
      if (info?.size !== bytes) {
        await rm(place, { recursive: true, force: true });
        return undefined;
      }
    }
    this.#inUse.add(sha256);
    const now = new Date();
    await utimes(place, now, now).catch(() => undefined);
    return { sha256, folder, files: record.files, topFolder: record.topFolder };
  }

  /** Makes an unpacked folder (`<scratch>/content`) the package with this digest. */
  async publish(scratch: string, sha256: string, unpacked: Unpacked): Promise<Cached> {
    const record = { form: FORM, sha256, ...unpacked };
    await writeWhole(path.join(scratch, 'package.json'), JSON.stringify(record));
    const place = this.#place(sha256);
    await mkdir(path.dirname(place), { recursive: true });
    try {
      await rename(scratch, place);
    } catch (error) {
      // Another process was faster, with the same bytes.
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
    }
    const found = await this.find(sha256);
    if (found) return found;
    await rename(scratch, place);
    this.#inUse.add(sha256);
    return { sha256, folder: path.join(place, 'content'), ...unpacked };
  }

  async recall(key: string): Promise<UrlRecord | undefined> {
    const record = (await readJson(this.#urlPlace(key))) as Partial<UrlRecord> | undefined;
    return typeof record?.sha256 === 'string'
      ? { sha256: record.sha256, validators: record.validators ?? {} }
      : undefined;
  }

  /** Remembers what a URL gave. The file's name is a digest and it holds no address, hence no secret. */
  async remember(key: string, record: UrlRecord): Promise<void> {
    const place = this.#urlPlace(key);
    await mkdir(path.dirname(place), { recursive: true });
    const scratch = await this.scratch();
    await writeWhole(scratch, JSON.stringify(record));
    await rename(scratch, place);
  }

  /** Removes packages beyond the newest `keep` (never one that this process was given) and forgotten scratch files. */
  async prune(keep: number): Promise<void> {
    const folder = path.join(this.#root, 'packages');
    const dated = await datedEntries(folder);
    const old = dated.sort((a, b) => b.ms - a.ms).slice(keep);
    for (const { name } of old) {
      if (!this.#inUse.has(name)) await rm(path.join(folder, name), { recursive: true, force: true });
    }
    const scratch = path.join(this.#root, 'tmp');
    for (const { name, ms } of await datedEntries(scratch)) {
      if (Date.now() - ms > STALE_MS) await rm(path.join(scratch, name), { recursive: true, force: true });
    }
  }

  #place(sha256: string): string {
    return path.join(this.#root, 'packages', sha256);
  }

  #urlPlace(key: string): string {
    return path.join(this.#root, 'urls', `${createHash('sha256').update(key).digest('hex')}.json`);
  }
}

async function datedEntries(folder: string): Promise<{ name: string; ms: number }[]> {
  const names = await readdir(folder).catch(() => []);
  const infos = await Promise.all(names.map((name) => stat(path.join(folder, name)).catch(() => undefined)));
  return names.flatMap((name, at) => (infos[at] ? [{ name, ms: infos[at].mtimeMs }] : []));
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    // Absent, or cut by a power loss: either way the package is fetched anew.
    return undefined;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
