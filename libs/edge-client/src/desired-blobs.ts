import { codeOf, isTwinObject, messageOf, readTwinBlob, twinBlobsOf, withTwinBlobs } from '@vantage/contracts';
import type { TwinBlob, TwinObject } from '@vantage/contracts';
import { Backoff, type BackoffOptions, type Logger } from '@vantage/observability';

export interface DesiredBlobsOptions {
  readonly logger: Logger;
  /** Between attempts to read a blob, until it can be read or the twin has changed. */
  readonly backoff: BackoffOptions;
  /** Told when blobs cannot be read, and when they can again; the message has no credentials. */
  readonly onState: (state: { readonly state: 'ok' | 'unreadable'; readonly error: string | null }) => void;
}

/**
 * Desired properties with the values that their twin keeps in blobs. Values are cached by their hash as long as the twin
 * names them. While one cannot be read there is no new state: what was last good stays in force.
 */
export class DesiredBlobs {
  readonly #options: DesiredBlobsOptions;
  #cache: ReadonlyMap<string, unknown> = new Map();
  #state: 'ok' | 'unreadable' = 'ok';
  #lastError = '';

  constructor(options: DesiredBlobsOptions) {
    this.#options = options;
  }

  /** @returns undefined when `signal` aborted: the state is not wanted any more */
  async resolve(raw: Readonly<TwinObject>, signal: AbortSignal): Promise<Readonly<TwinObject> | undefined> {
    const blobs = twinBlobsOf(raw);
    if (blobs.length === 0) {
      this.#tell('ok', '');
      return raw;
    }
    const backoff = new Backoff(this.#options.backoff);
    while (!signal.aborted) {
      try {
        const read = new Map(this.#cache);
        const value = await withTwinBlobs(raw, async (blob) => this.#read(blob, read));
        this.#cache = new Map(blobs.map(({ sha256 }) => [sha256, read.get(sha256)]));
        this.#tell('ok', '');
        return isTwinObject(value) ? value : undefined;
      } catch (error) {
        this.#tell('unreadable', messageOf(error), codeOf(error));
        await backoff.wait(signal);
      }
    }
    return undefined;
  }

  async #read(blob: TwinBlob, read: Map<string, unknown>): Promise<unknown> {
    if (!read.has(blob.sha256)) read.set(blob.sha256, await readTwinBlob(blob));
    return read.get(blob.sha256);
  }

  #tell(state: 'ok' | 'unreadable', error: string, code?: string): void {
    if (state === this.#state && error === this.#lastError) return;
    [this.#state, this.#lastError] = [state, error];
    if (state === 'unreadable') this.#options.logger.error(`desired properties are not applied: ${error}`, { code });
    this.#options.onState({ state, error: error === '' ? null : error });
  }
}
