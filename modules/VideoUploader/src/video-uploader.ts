import { watch, type FSWatcher } from 'node:fs';
import { codeOf, messageOf, METHODS, readVideoUploaderTwin, type VideoUploaderSettings } from '@vantage/contracts';
import type { EdgeModuleApi, KeptDocument } from '@vantage/edge-client';
import { Backoff, type BackoffOptions, type Logger, type Metrics } from '@vantage/observability';
import { Announcer } from './announcer.ts';
import { tellOfClip } from './clip-answer.ts';
import { Delivery } from './delivery.ts';
import { FolderLook } from './folder-look.ts';
import type { FileState, Journal } from './journal.ts';
import { removeDue } from './remove-due.ts';
import { Status } from './status.ts';
import type { ClipStorage } from './storage/clip-storage.ts';
import type { Patience } from './storage/patience.ts';

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
  /** How long bytes may need; default: a minute without a sign of life, and 16 KiB/s. */
  readonly patience?: Patience;
  /** How often the folder is looked into when nothing tells of a change. Default 2000. */
  readonly pollMs?: number;
}

const DEFAULT_POLL_MS = 2000;

/**
 * Brings the recordings of a folder to storage, each exactly once, and removes them when storage has confirmed them
 * (contract C.5, C.6, G.4). Goes round: look, bring, announce, remove. What has been done is in the journal before the
 * next step is taken.
 */
export class VideoUploader {
  readonly #options: VideoUploaderOptions;
  readonly #pollMs: number;
  readonly #status: Status;
  readonly #abort = new AbortController();
  readonly #look: FolderLook;
  readonly #announcer: Announcer;
  readonly #delivery: Delivery | undefined;
  readonly #haveSettings = Promise.withResolvers<undefined>();
  #settings: VideoUploaderSettings | undefined;
  #running: Promise<void> | undefined;
  #watcher: FSWatcher | undefined;
  #wake: () => void = () => undefined;

  constructor(options: VideoUploaderOptions) {
    this.#options = options;
    const { storage, pollMs = DEFAULT_POLL_MS } = options;
    const { signal } = this.#abort;
    this.#pollMs = pollMs;
    const status = new Status(options.edge, options.journal, options.metrics);
    this.#status = status;
    this.#look = new FolderLook({ ...options, status });
    const onMoved = (name: string, state: FileState): void => this.#look.moved(name, state);
    const onAnnounced = (name: string): void => {
      onMoved(name, 'announced');
      this.#wake();
    };
    this.#announcer = new Announcer({ ...options, signal, onAnnounced });
    if (storage === undefined) return;
    const backoff = new Backoff({ baseMs: 1000, capMs: 60_000, resetAfterMs: 10_000, ...options.backoff });
    this.#delivery = new Delivery({ ...options, storage, status, backoff, signal, onMoved, roundMs: pollMs });
  }

  /** Begins. The first time ever it waits for the twin: it may say that nothing is to be deleted. */
  async start(): Promise<void> {
    const { edge, journal, kept } = this.#options;
    this.#look.start();
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
    this.#delivery?.setBandwidth(settings.bandwidthKBps);
    this.#haveSettings.resolve(undefined);
    this.#wake();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    const { noStorage, logger } = this.#options;
    await this.#haveSettings.promise;
    if (this.#delivery === undefined) {
      this.#status.setStorage('notConfigured', noStorage);
      logger.warn(`clips stay on this device: ${noStorage ?? 'no storage'}`);
    }
    this.#watch();
    while (!signal.aborted) {
      let worked = false;
      try {
        worked = await this.#round();
      } catch (error) {
        if (isAborted(signal)) break;
        logger.error(`a round of the uploader failed: ${messageOf(error)}`, { code: codeOf(error), error });
      }
      if (!worked) await this.#pause();
    }
  }

  /** @returns whether something was brought, so that there may be more */
  async #round(): Promise<boolean> {
    const settings = this.#settings;
    const found = await this.#look.look();
    if (found === undefined || settings === undefined) return false;
    const worked = (await this.#delivery?.round(found, settings)) === true;
    // Read anew: they may have changed meanwhile.
    const { announceClips, deleteAfterUpload, keepLocalSeconds } = this.#settings ?? settings;
    await this.#announcer.step(announceClips);
    const onMoved = (name: string, state: FileState): void => this.#look.moved(name, state);
    if (deleteAfterUpload) await removeDue({ ...this.#options, onMoved }, found, keepLocalSeconds);
    return worked;
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

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#pollMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#abort.signal.aborted) this.#wake();
    });
    this.#wake = () => undefined;
  }
}

/** Read anew: the type system does not know that it changes meanwhile. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
