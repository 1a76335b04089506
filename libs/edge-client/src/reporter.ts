import { diffTwin, isTwinObject, mergeTwin, messageOf, VantageError, type TwinObject } from '@vantage/contracts';
import { Backoff, redactDeep, type BackoffOptions, type Logger } from '@vantage/observability';
import { content } from './desired.ts';
import { edgeClosed, reportedInvalid, reportedRefused } from './errors.ts';
import { splitPatch, twinIssues } from './twin-limits.ts';

export interface ReportLink {
  patchReported(patch: TwinObject): Promise<void>;
}

export interface ReporterOptions {
  readonly logger: Logger;
  /** Calls within this time become one patch, in milliseconds. */
  readonly coalesceMs: number;
  readonly backoff: BackoffOptions;
}

interface Waiter {
  readonly serial: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Reported properties as a state to reach: what the module wants reported is compared with what the hub is known to
 * have, and the difference is sent until it is gone. A hub that lost its state gets all of it again.
 */
export class Reporter {
  readonly #options: ReporterOptions;
  #known: TwinObject | undefined;
  #wanted: TwinObject = {};
  /** Patches from before the first connection, when what they apply to is not known yet. */
  #early: TwinObject[] = [];
  #serial = 0;
  #waiters: Waiter[] = [];
  #link: ReportLink | undefined;
  #abort = new AbortController();
  #flushing = false;
  /** Something may differ that no flush has looked at yet. */
  #dirty = false;
  #closed = false;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** What the hub has confirmed. */
  get known(): TwinObject {
    return this.#known ?? {};
  }

  report(patch: TwinObject): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    // Callers may let it go: it is logged here, and it must not end the process.
    promise.catch(() => undefined);
    try {
      if (this.#closed) throw edgeClosed();
      this.#take(cleaned(patch));
      this.#serial += 1;
      this.#waiters.push({ serial: this.#serial, resolve: () => resolve(undefined), reject });
      this.#schedule();
    } catch (error) {
      if (!this.#closed) this.#options.logger.error(messageOf(error), { error });
      reject(error);
    }
    return promise;
  }

  /** @param reported the reported properties of the hub's twin, now */
  attach(link: ReportLink, reported: TwinObject): void {
    const first = this.#known === undefined;
    this.#known = content(reported);
    if (first) {
      this.#wanted = this.#early.reduce(
        (state, patch) => mergeTwin(state, patch, { newObjectNulls: 'drop' }),
        this.#known,
      );
      this.#early = [];
    }
    this.#link = link;
    this.#abort = new AbortController();
    this.#schedule();
  }

  detach(): void {
    this.#link = undefined;
    this.#abort.abort();
  }

  /** Resolves when everything reported so far is settled. */
  async idle(): Promise<void> {
    if (this.#waiters.length === 0) return;
    const serial = this.#serial;
    await new Promise<void>((resolve) => this.#waiters.push({ serial, resolve, reject: () => resolve() }));
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.detach();
    this.#settle(Infinity, edgeClosed());
  }

  #take(patch: TwinObject): void {
    if (this.#known !== undefined) {
      this.#wanted = mergeTwin(this.#wanted, patch, { newObjectNulls: 'drop' });
      return;
    }
    this.#early.push(patch);
    const [oldest, second] = this.#early;
    if (this.#early.length > 1000 && oldest !== undefined && second !== undefined)
      this.#early.splice(0, 2, composePatches(oldest, second));
  }

  #schedule(): void {
    this.#dirty = true;
    if (this.#flushing || this.#link === undefined) return;
    this.#flushing = true;
    this.#dirty = false;
    void this.#flush()
      .catch((error: unknown) => this.#options.logger.error(`reporting failed: ${messageOf(error)}`, { error }))
      .finally(() => {
        this.#flushing = false;
        if (this.#dirty) this.#schedule();
      });
  }

  async #flush(): Promise<void> {
    const backoff = new Backoff(this.#options.backoff);
    const { signal } = this.#abort;
    const link = this.#link;
    await new Promise((resolve) => setTimeout(resolve, this.#options.coalesceMs));
    while (link !== undefined && this.#link === link) {
      const serial = this.#serial;
      const difference = diffTwin(this.#known ?? {}, this.#wanted);
      if (Object.keys(difference).length === 0) {
        this.#settle(serial);
        return;
      }
      try {
        await this.#sendAll(link, difference);
        this.#settle(serial);
      } catch (error) {
        if (this.#link !== link) return;
        if (isRefusal(error)) this.#refused(serial, error);
        else {
          this.#options.logger.debug(`reported properties wait: ${messageOf(error)}`);
          await backoff.wait(signal);
        }
      }
    }
  }

  async #sendAll(link: ReportLink, difference: TwinObject): Promise<void> {
    for (const piece of splitPatch(difference)) {
      await link.patchReported(piece);
      if (this.#link === link) this.#known = mergeTwin(this.#known ?? {}, piece, { newObjectNulls: 'drop' });
    }
  }

  /** Trying the same again would fail for ever: forget it, so that later reports have a chance. */
  #refused(serial: number, error: Error): void {
    this.#wanted = this.#known ?? {};
    const refusal =
      error instanceof VantageError && error.code === 'EDGE_REPORTED_INVALID' ? error : reportedRefused(error);
    this.#options.logger.error(refusal.message, { error: refusal });
    this.#settle(serial, refusal);
  }

  #settle(serial: number, error?: Error): void {
    const done = this.#waiters.filter((waiter) => waiter.serial <= serial);
    this.#waiters = this.#waiters.filter((waiter) => waiter.serial > serial);
    for (const waiter of done) {
      if (error === undefined) waiter.resolve();
      else waiter.reject(error);
    }
  }
}

/** As JSON would carry it, without secrets. @throws VantageError EDGE_REPORTED_INVALID */
function cleaned(patch: TwinObject): TwinObject {
  const issues = twinIssues(patch);
  if (issues.length > 0) throw reportedInvalid(issues);
  const plain: unknown = JSON.parse(JSON.stringify(redactDeep(patch)));
  if (!isTwinObject(plain)) throw reportedInvalid([{ path: '', message: 'must be an object' }]);
  return plain;
}

function isRefusal(error: unknown): error is VantageError {
  if (!VantageError.is(error)) return false;
  if (error.code === 'EDGE_REPORTED_INVALID') return true;
  const status = error.details['status'];
  return (
    error.code === 'EDGE_TWIN_STATUS' &&
    typeof status === 'number' &&
    status >= 400 &&
    status < 500 &&
    status !== 408 &&
    status !== 429
  );
}

/** One patch that does what two do; a delete that is followed by a new object keeps only the new object. */
function composePatches(first: TwinObject, second: TwinObject): TwinObject {
  const result: TwinObject = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const old = result[key];
    result[key] = isTwinObject(old) && isTwinObject(value) ? composePatches(old, value) : value;
  }
  return result;
}
