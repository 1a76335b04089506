import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { VantageError } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { cacheKeyOf, parseAddress } from './address.ts';
import { PackageCache, type Cached } from './cache.ts';
import { download, type Downloaded, type HttpAddress } from './download.ts';
import { addressInvalid, packageHashMismatch, packageMissing, packageTooLarge } from './errors.ts';
import { DEFAULT_LIMITS, sizeText, type ModelStoreLimits } from './limits.ts';
import { LISTED, listFolder, resolveInPackage, type ModelPackage } from './model-package.ts';
import { demandZip } from './sniff.ts';
import { unpackZip } from './unpack.ts';

export interface ModelStoreOptions {
  /** Folder of the cache; made when first needed. May be shared by processes. */
  readonly root: string;
  readonly logger: Logger;
  readonly limits?: Partial<ModelStoreLimits>;
}

export interface FetchProgress {
  readonly phase: 'download' | 'unpack';
  readonly doneBytes: number;
  /** Undefined when the server does not say. */
  readonly totalBytes: number | undefined;
}

export interface FetchRequest {
  /** http, https or file URL, or a path, of a zip; or a file URL or path of a folder. */
  readonly url: string;
  /** Digest that the zip must have (hex). With it, a package in the cache is used without asking the server. */
  readonly sha256?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called often; keep it cheap. */
  readonly onProgress?: (progress: FetchProgress) => void;
}

interface Job {
  readonly sha256: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: FetchProgress) => void;
  readonly shown: string;
}

/**
 * Fetches, checks, unpacks and keeps model packages. Nothing that is refused is left on disk, and a package that is
 * there stays usable without a network: when a server cannot be reached, what it gave last time is used.
 *
 * @example
 * const store = new ModelStore({ root: '/var/lib/vantage/models', logger });
 * const found = await store.fetch({ url: 'https://host/people.zip' });
 * const config = store.resolve(found, 'people/config_infer.txt');
 */
export class ModelStore {
  readonly #logger: Logger;
  readonly #limits: ModelStoreLimits;
  readonly #cache: PackageCache;
  /** The last job of each address: the same package is never fetched twice at once. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor({ root, logger, limits }: ModelStoreOptions) {
    this.#logger = logger;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#cache = new PackageCache(root);
  }

  /** @throws VantageError, with one of the codes of `errors.ts`; the signal's reason when it aborts. */
  async fetch(request: FetchRequest): Promise<ModelPackage> {
    request.signal?.throwIfAborted();
    const address = parseAddress(request.url);
    const job: Job = {
      sha256: readDigest(request.sha256),
      signal: request.signal,
      onProgress: request.onProgress ?? (() => undefined),
      shown: address.shown,
    };
    if (address.kind === 'http') {
      const key = cacheKeyOf(address.url);
      return this.#inTurn(key, () => this.#fromServer(address, key, job));
    }
    const info = await stat(address.path).catch(() => undefined);
    if (!info) throw packageMissing(`${address.shown} does not exist`);
    if (info.isDirectory()) return this.#fromFolder(address.path, job);
    return this.#inTurn(address.path, () => this.#fromFile(address.path, info.size, job));
  }

  /** See {@link resolveInPackage}. */
  resolve(found: ModelPackage, named: string): string {
    return resolveInPackage(found, named);
  }

  async #fromFolder(folder: string, job: Job): Promise<ModelPackage> {
    if (job.sha256 !== undefined) throw packageHashMismatch(`${job.shown} is a folder; a sha256 is that of a zip`);
    return { folder, contents: await listFolder(folder), sha256: undefined, fromCache: true, topFolder: undefined };
  }

  async #fromFile(file: string, bytes: number, job: Job): Promise<ModelPackage> {
    if (bytes > this.#limits.downloadBytes) {
      throw packageTooLarge(
        `${job.shown} has ${sizeText(bytes)}; the limit is ${sizeText(this.#limits.downloadBytes)}`,
      );
    }
    demandZip(await readHead(file), job.shown);
    const sha256 = await digestOf(file, job.signal);
    demandDigest(job, sha256);
    const cached = await this.#cache.find(sha256);
    return cached ? given(cached, true) : this.#unpack(file, bytes, sha256, job);
  }

  async #fromServer(address: HttpAddress, key: string, job: Job): Promise<ModelPackage> {
    if (job.sha256 !== undefined) {
      const cached = await this.#cache.find(job.sha256);
      if (cached) return given(cached, true);
    }
    const known = await this.#cache.recall(key);
    const last =
      known && (job.sha256 ?? known.sha256) === known.sha256 ? await this.#cache.find(known.sha256) : undefined;
    const file = await this.#cache.scratch();
    try {
      let fresh: Downloaded;
      try {
        fresh = await this.#download(address, file, last && known ? known.validators : undefined, job);
      } catch (error) {
        if (!last || !VantageError.is(error) || error.code !== 'MODEL_DOWNLOAD_FAILED') throw error;
        this.#logger.warn(`${error.message}; using the package it gave last time`, { code: error.code });
        return given(last, true);
      }
      if (fresh.kind === 'unchanged') {
        if (last) return given(last, true);
        throw packageMissing(`${job.shown} is said to be unchanged, but was not asked so`);
      }
      // First what it is, then its digest: "a web page" helps more than "another sha256".
      demandZip(await readHead(file), job.shown);
      demandDigest(job, fresh.sha256);
      const cached = await this.#cache.find(fresh.sha256);
      const result = cached ? given(cached, true) : await this.#unpack(file, fresh.bytes, fresh.sha256, job);
      await this.#cache.remember(key, { sha256: fresh.sha256, validators: fresh.validators });
      return result;
    } finally {
      await rm(file, { force: true });
    }
  }

  #download(
    address: HttpAddress,
    file: string,
    known: Parameters<typeof download>[2]['known'],
    job: Job,
  ): Promise<Downloaded> {
    return download(address, file, {
      limits: this.#limits,
      known,
      signal: job.signal,
      onBytes: (doneBytes, totalBytes) => job.onProgress({ phase: 'download', doneBytes, totalBytes }),
      onRetry: (reason, tries) => this.#logger.warn(`${job.shown}: ${reason}; trying again`, { tries }),
    });
  }

  async #unpack(file: string, zipBytes: number, sha256: string, job: Job): Promise<ModelPackage> {
    const scratch = await this.#cache.scratch();
    const content = path.join(scratch, 'content');
    try {
      await mkdir(content, { recursive: true });
      const unpacked = await unpackZip(file, content, {
        limits: this.#limits,
        shown: job.shown,
        zipBytes,
        signal: job.signal,
        onBytes: (doneBytes, totalBytes) => job.onProgress({ phase: 'unpack', doneBytes, totalBytes }),
      });
      const cached = await this.#cache.publish(scratch, sha256, unpacked);
      this.#logger.info(`model package unpacked: ${cached.files.length} files from ${job.shown}`, { sha256 });
      await this.#cache.prune(this.#limits.cachedPackages);
      return given(cached, false);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  async #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#turns.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(key) === mine) this.#turns.delete(key);
    }
  }
}

function given(cached: Cached, fromCache: boolean): ModelPackage {
  const { folder, files, sha256, topFolder } = cached;
  return { folder, contents: files.slice(0, LISTED).map(({ name }) => name), sha256, fromCache, topFolder };
}

function readDigest(text: string | undefined): string | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const digest = text
    .trim()
    .toLowerCase()
    .replace(/^sha256[:-]/, '');
  if (/^[0-9a-f]{64}$/.test(digest)) return digest;
  throw packageHashMismatch('the sha256 of the model package must be 64 hexadecimal digits');
}

function demandDigest({ sha256, shown }: Job, actual: string): void {
  if (sha256 === undefined || sha256 === actual) return;
  throw packageHashMismatch(`${shown} has the sha256 ${actual}, not the ${sha256} that was asked for`, { actual });
}

async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw addressInvalid(`${path.basename(file)} cannot be read`, {}, error);
  });
  try {
    const head = Buffer.alloc(512);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function digestOf(file: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, ...(signal ? [{ signal }] : []));
  return hash.digest('hex');
}
