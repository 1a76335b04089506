import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, type VideoUploaderSettings } from '@vantage/contracts';
import type { Backoff, Logger } from '@vantage/observability';
import { FileBringer, LONGEST_FILE_PAUSE_MS } from './bring-file.ts';
import type { Found } from './clips/recordings.ts';
import type { FileRow, FileState, Journal } from './journal.ts';
import { OpenClips } from './open-clips.ts';
import type { Status } from './status.ts';
import type { ClipStorage } from './storage/clip-storage.ts';
import type { Patience } from './storage/patience.ts';
import { TokenBucket } from './storage/token-bucket.ts';
import { troubleOf } from './storage/trouble.ts';

const BLOCK_BYTES = 4 << 20;
/** With a bandwidth limit blocks are small, so that one takes seconds and not minutes. */
const SLOW_BLOCK_BYTES = 256 << 10;
/** Blocks of a blob are limited to 50 000. */
const MAX_SLOW_FILE_BYTES = SLOW_BLOCK_BYTES * 40_000;
/** Small files take the line hardly any time and storage's answers long: some go together, a large one goes alone. */
const MAX_AT_ONCE = 4;
const MAX_BYTES_AT_ONCE = BLOCK_BYTES;

export interface DeliveryOptions {
  readonly folder: string;
  readonly deviceId: string;
  readonly journal: Journal;
  readonly storage: ClipStorage;
  readonly status: Status;
  readonly logger: Logger;
  readonly backoff: Backoff;
  readonly signal: AbortSignal;
  /** A round ends after so long, if it brought anything, for the next look. */
  readonly roundMs: number;
  readonly patience?: Patience;
  readonly onMoved: (name: string, state: FileState) => void;
}

/**
 * Brings what a look has found to storage: files, the oldest first and small ones a few at a time, then pieces of what is
 * still being recorded. Trouble with storage makes pauses that grow; trouble with one file lets the others go on.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #bucket = new TokenBucket();
  readonly #bringer: FileBringer;
  readonly #openClips: OpenClips;
  #isInterrupted = true;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const { status } = options;
    const admit = (bytes: number): Promise<void> => this.#admit(bytes);
    const blockBytes = (size: number): number => this.#blockBytes(size);
    this.#bringer = new FileBringer({ ...options, admit, blockBytes });
    this.#openClips = new OpenClips({
      ...{ ...options, admit },
      blockBytes: () => this.#blockBytes(0),
      onSent: (bytes) => status.sent(bytes),
    });
  }

  setBandwidth(kilobytesPerSecond: number): void {
    this.#bucket.setRate(kilobytesPerSecond * 1024);
  }

  /** @returns whether something was brought, so that there may be more */
  async round(found: Found, settings: VideoUploaderSettings): Promise<boolean> {
    const { signal } = this.#options;
    try {
      if (this.#isInterrupted) await this.#bringer.endInterrupted();
      this.#isInterrupted = false;
    } catch (error) {
      if (!signal.aborted) await this.#meet(error);
    }
    let worked = false;
    try {
      const files = await this.#bringFiles(found);
      if (files.more) return true;
      worked = files.worked;
    } catch (error) {
      if (!signal.aborted) await this.#meet(error);
      return false;
    }
    try {
      const sent = await this.#openClips.step(settings.uploadWhileRecording ? found.open : []);
      return worked || sent;
    } catch (error) {
      if (!signal.aborted) await this.#meet(error);
      return worked;
    }
  }

  async #bringFiles(found: Found): Promise<{ readonly worked: boolean; readonly more: boolean }> {
    const { journal, backoff, signal, roundMs } = this.#options;
    const ready = new Set(found.recordings.filter((one) => one.ready).map(({ relative }) => relative));
    const startedMs = performance.now();
    const underWay = new Set<Promise<void>>();
    let bytes = 0;
    let worked = false;
    let more = false;
    let trouble: { readonly error: unknown } | undefined;
    const bring = async (row: FileRow): Promise<void> => {
      bytes += row.size;
      try {
        if (!(await this.#bringer.bring(row))) return;
        worked = true;
        backoff.healthy();
      } catch (error) {
        trouble ??= { error };
      } finally {
        bytes -= row.size;
      }
    };
    for (const row of journal.in(['seen', 'uploading'])) {
      if (!ready.has(row.path) || isLater(row.retryAtMs)) continue;
      while (underWay.size === MAX_AT_ONCE || (underWay.size > 0 && bytes + row.size > MAX_BYTES_AT_ONCE)) {
        await Promise.race(underWay);
      }
      more = signal.aborted || (worked && performance.now() - startedMs > roundMs);
      if (more || trouble !== undefined) break;
      const one = bring(row).finally(() => underWay.delete(one));
      underWay.add(one);
    }
    await Promise.all(underWay);
    if (trouble !== undefined) throw trouble.error;
    return { worked, more };
  }

  /** Tells what keeps files from arriving, and waits a while. */
  async #meet(error: unknown): Promise<void> {
    const { status, logger, backoff, signal } = this.#options;
    const { message, state } = troubleOf(error, Date.now());
    if (status.storage !== state) logger.warn(message, { code: codeOf(error), state });
    else logger.info(`storage still takes no clips: ${message}`, { attempts: backoff.failures + 1 });
    status.setStorage(state, message);
    status.failed(state);
    await backoff.wait(signal);
  }

  #blockBytes(size: number): number {
    return this.#bucket.bytesPerSecond > 0 && size <= MAX_SLOW_FILE_BYTES ? SLOW_BLOCK_BYTES : BLOCK_BYTES;
  }

  async #admit(bytes: number): Promise<void> {
    const waitMs = this.#bucket.take(bytes);
    if (waitMs > 0) await delay(waitMs, undefined, { signal: this.#options.signal });
  }
}

/** A clock that was ahead must not make a file wait for days. */
function isLater(retryAtMs: number): boolean {
  const inMs = retryAtMs - Date.now();
  return inMs > 0 && inMs <= LONGEST_FILE_PAUSE_MS;
}
