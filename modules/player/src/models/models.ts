import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline as pump } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';
import { isObject, parseJson, type Json } from '@vantage/contracts';
import { ModelStore } from '@vantage/model-store';
import { redact, redactDeep, silentLogger } from '@vantage/observability';
import type { ApiModelReport } from '../api.ts';
import { modelCheckUnavailable, modelPlaceUnknown, notFound } from '../errors.ts';
import type { PlayerSettings } from '../settings.ts';
import { ModelStorage } from './model-storage.ts';

const CLI = path.resolve(import.meta.dirname, '../../../../tools/cli/bin/vantage.mjs');
const CHECK_MS = 170_000;
const MAX_OUTPUT = 2 * 1024 * 1024;
/** The oldest go when there are more. */
const KEPT = 20;

/** What the twin needs of a model that was checked. */
export interface CheckedModel {
  readonly url: string;
  readonly sha256: string;
  /** nvinfer or nvinferserver file inside of the zip. */
  readonly config: string;
}

/**
 * Zips that people drop on the page: checked by the `vantage` command, and handed to the ai-pipeline as files where it can
 * read them, else through the blob storage.
 */
export class Models {
  readonly #folder: string;
  readonly #settings: PlayerSettings;
  readonly #signal: AbortSignal;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: PlayerSettings, signal: AbortSignal) {
    this.#folder = path.join(settings.cacheFolder, 'models');
    this.#settings = settings;
    this.#signal = signal;
  }

  /** One after the other: a check loads the model and runs it. @throws VantageError MODEL_CHECK_UNAVAILABLE */
  async add(zip: Readable): Promise<ApiModelReport> {
    if (!existsSync(CLI)) throw modelCheckUnavailable();
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const part = path.join(this.#folder, `${randomBytes(8).toString('hex')}.part.zip`);
    try {
      await pump(zip, createWriteStream(part, { mode: 0o600 }), { signal: this.#signal });
      const turn = this.#turn.then(() => this.#check(part));
      this.#turn = turn.catch(() => undefined);
      return await turn;
    } finally {
      await rm(part, { force: true });
    }
  }

  /** @throws VantageError NOT_FOUND, MODEL_PLACE_UNKNOWN, BLOB_STORE_FAILED */
  async get(id: string): Promise<CheckedModel> {
    const { sharesFiles, storage: settings } = this.#settings;
    const storage = sharesFiles ? undefined : await ModelStorage.find(settings);
    if (!sharesFiles && !storage) throw modelPlaceUnknown();
    if (!/^[0-9a-f]{64}$/.test(id)) throw notFound('the model');
    const config = await readFile(path.join(this.#folder, `${id}.config`), 'utf8').catch(() => {
      throw notFound('the model');
    });
    const file = path.join(this.#folder, `${id}.zip`);
    const url = storage ? await storage.put(file, id, this.#signal) : pathToFileURL(file).href;
    return { url, sha256: id, config };
  }

  async #check(file: string): Promise<ApiModelReport> {
    const { status, stdout, stderr } = await runCheck(file, this.#folder, this.#signal);
    const report = status === 0 ? parseJson(stdout) : undefined;
    if (!isObject(report)) {
      // Its own sentence, without the name that the file has here.
      const message = redact(stderr.trim().replaceAll(file, 'the zip')).slice(-2000);
      return { ok: false, report: { message } };
    }
    const shown = redactDeep(report) as Json;
    const config = await this.#configIn(file, report);
    if (config === undefined) return { ok: false, report: shown };
    const id = await digestOf(file);
    await rename(file, path.join(this.#folder, `${id}.zip`));
    await writeFile(path.join(this.#folder, `${id}.config`), config);
    await this.#clean();
    return { id, ok: true, config, report: shown };
  }

  /** The configuration's path inside of the zip; undefined when there is none: then the check has only proposed one. */
  async #configIn(file: string, report: Readonly<Record<string, unknown>>): Promise<string | undefined> {
    const { source, file: found } = isObject(report['config']) ? report['config'] : {};
    if (source !== 'given' || typeof found !== 'string') return undefined;
    const store = new ModelStore({ root: path.join(this.#folder, 'unpacked'), logger: silentLogger });
    const { contents } = await store.fetch({ url: file, signal: this.#signal });
    const fits = contents.filter((one) => found === one || found.endsWith(`/${one}`));
    return fits.sort((a, b) => b.length - a.length)[0];
  }

  async #clean(): Promise<void> {
    const zips = (await readdir(this.#folder)).filter((name) => /^[0-9a-f]{64}\.zip$/.test(name));
    const dated = await Promise.all(
      zips.map(async (name) => ({ name, ms: (await stat(path.join(this.#folder, name))).mtimeMs })),
    );
    for (const { name } of dated.sort((a, b) => b.ms - a.ms).slice(KEPT)) {
      await rm(path.join(this.#folder, name), { force: true });
      await rm(path.join(this.#folder, name.replace(/zip$/, 'config')), { force: true });
    }
  }
}

async function runCheck(
  file: string,
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CLI, 'model', 'check', file, '--json', '--seconds', '0'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([signal, AbortSignal.timeout(CHECK_MS)]),
      // It needs none of the Player's secrets.
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', TMPDIR: folder, NO_COLOR: '1' },
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout = `${stdout}${text}`.slice(0, MAX_OUTPUT)));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = `${stderr}${text}`.slice(-MAX_OUTPUT)));
  child.on('error', (error) => (stderr += error.message));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
