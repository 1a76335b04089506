import { watch, type FSWatcher } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, messageOf, METHODS, readVideoUploaderTwin, type VideoUploaderSettings } from '@vantage/contracts';
import type { EdgeModuleApi, KeptDocument } from '@vantage/edge-client';
import { Backoff, redact, type BackoffOptions, type Logger, type Metrics } from '@vantage/observability';
import { Announcer } from './announcer.ts';
import { tellOfClip } from './clip-answer.ts';
import {
  blobNameOf,
  factsOf,
  metadataOf,
  readClipJson,
  snippetFacts,
  tagsOf,
  type ClipFacts,
} from './clips/clip-facts.ts';
import { baseOf, contentTypeOf, jsonNamesOf } from './clips/clip-names.ts';
import { isInUse, RecordingsFolder, type Found } from './clips/recordings.ts';
import type { FileRow, FileState, Journal } from './journal.ts';
import { OpenClips } from './open-clips.ts';
import { Status } from './status.ts';
import type { BlobPlace, ClipStorage } from './storage/clip-storage.ts';
import { TokenBucket } from './storage/token-bucket.ts';
import { troubleOf } from './storage/trouble.ts';
import { uploadFile } from './storage/upload-file.ts';

export interface VideoUploaderOptions {
  readonly edge: EdgeModuleApi;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly journal: Journal;
  /** Undefined: there is none, for the reason in `noStorage`. */
  readonly storage: ClipStorage | undefined;
  readonly noStorage?: string;
  /** Folder of clips. */
  readonly folder: string;
  readonly deviceId: string;
  /** The settings that were last good: a start without a hub has them. */
  readonly kept?: KeptDocument<VideoUploaderSettings>;
  readonly backoff?: BackoffOptions;
  /** How often the folder is looked into when nothing tells of a change. Default 2000. */
  readonly pollMs?: number;
}

const DEFAULT_POLL_MS = 2000;
const BLOCK_BYTES = 4 << 20;
/** With a bandwidth limit blocks are small, so that one takes seconds and not minutes. */
const SLOW_BLOCK_BYTES = 256 << 10;
/** Blocks of a blob are limited to 50 000. */
const MAX_SLOW_FILE_BYTES = SLOW_BLOCK_BYTES * 40_000;
const FILE_PAUSE_MS = { base: 5000, cap: 600_000 };
const SETTLED: ReadonlySet<FileState> = new Set(['stored', 'announced', 'deleted', 'removed']);
const PRESENT: ReadonlySet<FileState> = new Set(['stored', 'announced']);

/**
 * Brings the recordings of a folder to storage, each exactly once, and removes them when storage has confirmed them
 * (contract C.5, C.6, G.4). Files go one after the other, the oldest first; trouble with storage makes pauses that grow,
 * trouble with one file lets the others go on. What has been done is in the journal before the next step is taken.
 */
export class VideoUploader {
  readonly #options: VideoUploaderOptions;
  readonly #recordings: RecordingsFolder;
  readonly #status: Status;
  readonly #bucket = new TokenBucket();
  readonly #abort = new AbortController();
  readonly #backoff: Backoff;
  readonly #states = new Map<string, FileState>();
  readonly #announcer: Announcer;
  readonly #openClips: OpenClips | undefined;
  readonly #haveSettings = Promise.withResolvers<undefined>();
  #settings: VideoUploaderSettings | undefined;
  #running: Promise<void> | undefined;
  #watcher: FSWatcher | undefined;
  #wake: () => void = () => undefined;

  constructor(options: VideoUploaderOptions) {
    this.#options = options;
    const { journal, storage, folder } = options;
    this.#recordings = new RecordingsFolder(folder);
    this.#status = new Status(options.edge, journal, options.metrics);
    this.#backoff = new Backoff({ baseMs: 1000, capMs: 60_000, resetAfterMs: 10_000, ...options.backoff });
    this.#announcer = new Announcer({
      ...options,
      signal: this.#abort.signal,
      onAnnounced: (name) => {
        this.#states.set(name, 'announced');
        this.#wake();
      },
    });
    this.#openClips =
      storage === undefined
        ? undefined
        : new OpenClips({
            ...{ folder, journal, storage },
            signal: this.#abort.signal,
            blockBytes: () => this.#blockBytes(0),
            admit: (bytes) => this.#admit(bytes),
            onSent: (bytes) => this.#status.sent(bytes),
          });
  }

  /** Begins. The first time ever it waits for the twin: it may say that nothing is to be deleted. */
  async start(): Promise<void> {
    const { edge, journal, kept } = this.#options;
    for (const row of journal.in(['seen', 'uploading', 'stored', 'announced'])) this.#states.set(row.path, row.state);
    const known = await kept?.read();
    if (known !== undefined) this.#apply(known);
    edge.onMethod(METHODS.clip, (payload) => tellOfClip(journal, payload));
    edge.onDesired(async (desired) => {
      const { settings, errors, warnings } = readVideoUploaderTwin(desired);
      this.#status.setTwinProblems([...errors, ...warnings].map(({ path: at, message }) => `${at}: ${message}`));
      this.#apply(settings);
      await kept?.write(settings).catch((error: unknown) => {
        this.#options.logger.warn('the settings cannot be kept', { error: messageOf(error) });
      });
    });
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#haveSettings.resolve(undefined);
    this.#wake();
    await this.#running;
    this.#watcher?.close();
    this.#status.stop();
    this.#options.journal.close();
  }

  #apply(settings: VideoUploaderSettings): void {
    this.#settings = settings;
    this.#bucket.setRate(settings.bandwidthKBps * 1024);
    this.#haveSettings.resolve(undefined);
    this.#wake();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { storage, noStorage, logger } = this.#options;
    await this.#haveSettings.promise;
    if (storage === undefined) {
      this.#status.setStorage('notConfigured', noStorage);
      logger.warn(`clips stay on this device: ${noStorage ?? 'no storage'}`);
    }
    this.#watch();
    let endOpen = true;
    while (!signal.aborted) {
      let worked = false;
      try {
        if (endOpen && storage !== undefined) endOpen = !(await this.#endInterrupted(storage));
        const found = await this.#look();
        if (found !== undefined && storage !== undefined) worked = await this.#bringAll(found, storage);
        if (found !== undefined) {
          await this.#announcer.step(this.#settings?.announceClips === true);
          await this.#deleteDue(found);
        }
      } catch (error) {
        if (isAborted(signal)) break;
        logger.error(`a round of the uploader failed: ${messageOf(error)}`, { code: codeOf(error), error });
      }
      if (!worked) await this.#pause(this.#options.pollMs ?? DEFAULT_POLL_MS);
    }
  }

  /** A change in the folder is seen at once; what the system does not tell of, at the next look. */
  #watch(): void {
    try {
      this.#watcher = watch(this.#options.folder, () => this.#wake());
      this.#watcher.on('error', () => undefined);
    } catch {
      this.#watcher = undefined;
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#abort.signal.aborted) this.#wake();
    });
    this.#wake = () => undefined;
  }

  async #look(): Promise<Found | undefined> {
    const { journal } = this.#options;
    let found: Found;
    try {
      found = await this.#recordings.look(
        (name) => PRESENT.has(this.#states.get(name) ?? 'seen'),
        (name) => SETTLED.has(this.#states.get(name) ?? journal.get(name)?.state ?? 'seen'),
      );
      this.#status.setFolderProblem(undefined);
    } catch (error) {
      this.#status.setFolderProblem(`the folder of clips cannot be read: ${messageOf(error)}`);
      return undefined;
    }
    let changed = false;
    for (const { relative, kind, size, mtimeMs } of found.recordings) {
      const row = journal.get(relative);
      const isKnown = row !== undefined && (row.state === 'seen' || row.state === 'uploading');
      if (isKnown && row.size === size && row.mtimeMs === mtimeMs) continue;
      journal.see(relative, kind, size, mtimeMs);
      this.#states.set(relative, 'seen');
      changed = true;
    }
    const open = new Set(found.open.map((name) => name.slice(1, -'.part'.length)));
    for (const [name, state] of this.#states) {
      if (found.names.has(name) || open.has(name)) continue;
      const row = journal.get(name);
      if (row !== undefined && PRESENT.has(state)) journal.move(name, 'deleted');
      else if (row !== undefined) {
        journal.removed(name, row.kind);
        this.#options.logger.warn('a file was removed before it was uploaded', { file: name });
      }
      this.#states.delete(name);
      changed = true;
    }
    if (changed) this.#status.changed();
    return found;
  }

  /** @returns whether something was brought */
  async #bringAll(found: Found, storage: ClipStorage): Promise<boolean> {
    const { journal, pollMs = DEFAULT_POLL_MS } = this.#options;
    const ready = new Set(found.recordings.filter((one) => one.ready).map(({ relative }) => relative));
    const startedMs = Date.now();
    let worked = false;
    for (const row of journal.in(['seen', 'uploading'])) {
      if (!ready.has(row.path) || row.retryAtMs > Date.now()) continue;
      if (this.#abort.signal.aborted || (worked && Date.now() - startedMs > pollMs)) return true;
      const result = await this.#bring(row, storage);
      if (result === 'trouble') return false;
      worked ||= result === 'stored';
    }
    if (this.#settings?.uploadWhileRecording === true) {
      try {
        worked = (await this.#openClips?.step(found.open)) === true || worked;
      } catch (error) {
        if (!this.#abort.signal.aborted) await this.#storageTrouble(error);
      }
    } else await this.#openClips?.step([]);
    return worked;
  }

  async #bring(row: FileRow, storage: ClipStorage): Promise<'stored' | 'skipped' | 'trouble'> {
    const { journal, folder, deviceId, logger } = this.#options;
    const { signal } = this.#abort;
    let place: BlobPlace | undefined;
    try {
      const facts = await this.#factsOf(row);
      const blob = row.blob ?? blobNameOf(facts, row.path);
      const blockBytes = row.blockBytes > 0 ? row.blockBytes : this.#blockBytes(row.size);
      journal.uploading(row.path, blob, blockBytes);
      this.#states.set(row.path, 'uploading');
      place = await storage.place(blob, signal);
      if (place.correlationId !== undefined) journal.begun(place.correlationId, row.path);
      const stored = await uploadFile({
        client: place.client,
        file: path.join(folder, row.path),
        contentType: contentTypeOf(row.path),
        metadata: metadataOf(facts, deviceId),
        tags: tagsOf(facts),
        blockBytes,
        admit: (bytes) => this.#admit(bytes),
        signal,
      });
      journal.stored(row.path, row.kind, { ...stored, name: place.blobName });
      this.#states.set(row.path, 'stored');
      this.#status.sent(stored.sentBytes);
      this.#status.setStorage('ok', undefined, storage.container);
      this.#status.stored(row.kind);
      this.#backoff.healthy();
      logger.info('stored', {
        file: row.path,
        blob: place.blobName,
        bytes: stored.bytes,
        sent: stored.sentBytes,
        note: stored.untagged,
      });
      await this.#end(storage, place, true, 'stored');
      return 'stored';
    } catch (error) {
      if (signal.aborted) return 'trouble';
      if (place !== undefined) await this.#end(storage, place, false, redact(messageOf(error)).slice(0, 200));
      return this.#failed(row, error);
    }
  }

  async #failed(row: FileRow, error: unknown): Promise<'skipped' | 'trouble'> {
    const { journal, logger, folder } = this.#options;
    const code = codeOf(error);
    // The recorder makes room by removing the oldest; the next look says so.
    if (code === 'ENOENT' && (await stat(path.join(folder, row.path)).catch(() => undefined)) === undefined)
      return 'skipped';
    if (code === 'UPLOAD_NAME_TAKEN') {
      const { dir, name, ext } = path.posix.parse(row.blob ?? blobNameOf(await this.#factsOf(row), row.path));
      const other = path.posix.join(dir, `${name}~${Math.round(row.mtimeMs).toString(36)}${ext}`);
      logger.warn('another blob has this name; the clip gets another', { file: row.path, blob: other });
      journal.uploading(row.path, other, row.blockBytes);
      return 'skipped';
    }
    const trouble = troubleOf(error, Date.now());
    if (trouble.scope === 'storage') {
      journal.failed(row.path, trouble.message, 0);
      await this.#storageTrouble(error);
      return 'trouble';
    }
    const pauseMs = Math.min(FILE_PAUSE_MS.cap, FILE_PAUSE_MS.base * 2 ** Math.min(row.attempts, 10));
    journal.failed(row.path, trouble.message, Date.now() + pauseMs);
    this.#status.failed('file');
    logger.error(`a file was not uploaded: ${trouble.message}`, { file: row.path, code, retryInMs: pauseMs });
    return 'skipped';
  }

  async #storageTrouble(error: unknown): Promise<void> {
    const { message, state } = troubleOf(error, Date.now());
    const { logger } = this.#options;
    if (this.#status.storage !== state) logger.warn(message, { code: codeOf(error), state });
    else logger.info(`storage still takes no clips: ${message}`, { attempts: this.#backoff.failures + 1 });
    this.#status.setStorage(state, message);
    this.#status.failed(state);
    await this.#backoff.wait(this.#abort.signal);
  }

  async #end(storage: ClipStorage, { correlationId }: BlobPlace, isSuccess: boolean, why: string): Promise<void> {
    if (correlationId === undefined) return;
    try {
      await storage.end(correlationId, isSuccess, why, this.#abort.signal);
      this.#options.journal.ended(correlationId);
    } catch (error) {
      this.#options.logger.debug('IoT Hub was not told of an upload; it forgets it in an hour', {
        error: messageOf(error),
      });
    }
  }

  /** What a process that was killed had begun: the hub hears how it ended. @returns false when it could not be told */
  async #endInterrupted(storage: ClipStorage): Promise<boolean> {
    const { journal } = this.#options;
    for (const { correlationId, path: file } of journal.openUploads()) {
      const state = journal.get(file)?.state;
      const isStored = state === 'stored' || state === 'announced' || state === 'deleted';
      try {
        await storage.end(correlationId, isStored, isStored ? 'stored' : 'interrupted', this.#abort.signal);
      } catch (error) {
        await this.#storageTrouble(error);
        return false;
      }
      journal.ended(correlationId);
    }
    return true;
  }

  async #factsOf(row: FileRow): Promise<ClipFacts> {
    const { journal, folder } = this.#options;
    if (row.kind === 'snippet') return snippetFacts(row.path, row.mtimeMs);
    const base = baseOf(row.path);
    const known = journal.facts(base);
    if (known !== undefined) return known;
    for (const { name, sensor } of jsonNamesOf(base)) {
      const document = await readClipJson(path.join(folder, name));
      if (document === undefined) continue;
      const facts = factsOf(document, row.mtimeMs, sensor);
      journal.keepFacts(base, facts);
      return facts;
    }
    return factsOf(undefined, row.mtimeMs);
  }

  /** Removes what storage has confirmed, if it is still what was uploaded. */
  async #deleteDue(found: Found): Promise<void> {
    const { journal, folder, logger } = this.#options;
    const { deleteAfterUpload = false, keepLocalSeconds = 0 } = this.#settings ?? {};
    if (!deleteAfterUpload) return;
    for (const row of journal.due(Date.now() - keepLocalSeconds * 1000, 500)) {
      if (isInUse(baseOf(row.path), found)) continue;
      const file = path.join(folder, row.path);
      try {
        const { size, mtimeMs } = await stat(file);
        if (size !== row.size || mtimeMs !== row.mtimeMs) {
          // Another file under its name: it goes the whole way.
          journal.see(row.path, row.kind, size, mtimeMs);
          this.#states.set(row.path, 'seen');
          continue;
        }
        await unlink(file);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') {
          logger.warn(`a stored clip cannot be removed: ${messageOf(error)}`, { file: row.path, code: codeOf(error) });
          continue;
        }
      }
      journal.move(row.path, 'deleted');
      this.#states.delete(row.path);
    }
    journal.trim();
  }

  #blockBytes(size: number): number {
    return this.#bucket.bytesPerSecond > 0 && size <= MAX_SLOW_FILE_BYTES ? SLOW_BLOCK_BYTES : BLOCK_BYTES;
  }

  async #admit(bytes: number): Promise<void> {
    const waitMs = this.#bucket.take(bytes);
    if (waitMs > 0) await delay(waitMs, undefined, { signal: this.#abort.signal });
  }
}

/** Read anew: the type system does not know that it changes meanwhile. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
