import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { VantageError, codeOf } from '@vantage/contracts';
import { Backoff, redact } from '@vantage/observability';
import type { Address } from './address.ts';
import { downloadFailed, downloadRefused, packageIsHtml, packageTooLarge } from './errors.ts';
import { sizeText, type ModelStoreLimits } from './limits.ts';

export type HttpAddress = Extract<Address, { kind: 'http' }>;

/** What a server said about a version of a file, to ask later whether it is still the same (RFC 9110, 13.1). */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export type Downloaded =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'file'; readonly sha256: string; readonly bytes: number; readonly validators: Validators };

export interface DownloadOptions {
  readonly limits: ModelStoreLimits;
  /** Makes the request conditional: an unchanged file is not sent again. */
  readonly known?: Validators | undefined;
  /**
   * What of the file is on disk already is kept, and only the rest asked for (RFC 9110, 14.2): after a broken try, and at
   * the first one. A server that cannot do that sends all of it. The caller compares the digest.
   */
  readonly resume?: boolean;
  /** What is wanted, for errors. Default `a zip`. */
  readonly wanted?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (doneBytes: number, totalBytes: number | undefined) => void;
  readonly onRetry?: (reason: string, tries: number) => void;
}

/** A failure that may pass: worth another try. */
class Passing extends Error {}

/**
 * Streams a URL into a file (replaced if it is there), with time-outs, a size limit and retries on failures that may
 * pass: no connection, a connection that breaks, silence, and the statuses 408, 425, 429 and 5xx. Certificates are
 * checked. Errors never hold user info, signatures or tokens of the URL.
 */
export async function download(address: HttpAddress, file: string, options: DownloadOptions): Promise<Downloaded> {
  const { limits, signal } = options;
  const deadline = AbortSignal.timeout(limits.totalTimeoutMs);
  const whole = signal ? AbortSignal.any([signal, deadline]) : deadline;
  const backoff = new Backoff({ baseMs: limits.retryBaseMs, capMs: 30_000 });
  for (let tries = 1; ; tries += 1) {
    try {
      return await once(address, file, options, whole);
    } catch (error) {
      signal?.throwIfAborted();
      if (VantageError.is(error)) throw error;
      const reason = deadline.aborted ? `not done after ${limits.totalTimeoutMs / 1000} s` : reasonOf(error);
      if (tries >= limits.tries || deadline.aborted || !(error instanceof Passing || isNetworkError(error))) {
        throw downloadFailed(`${address.shown} could not be downloaded: ${reason} (tries: ${tries})`, { tries });
      }
      options.onRetry?.(reason, tries);
      await backoff.wait(whole);
      signal?.throwIfAborted();
    }
  }
}

async function once(
  address: HttpAddress,
  file: string,
  { limits, known, resume = false, wanted = 'a zip', onBytes }: DownloadOptions,
  whole: AbortSignal,
): Promise<Downloaded> {
  const there = resume ? await sizeOf(file) : 0;
  const quiet = new Silence(limits.responseTimeoutMs, 'no answer');
  const signal = AbortSignal.any([whole, quiet.signal]);
  try {
    const headers = { ...headersFor(address, known), ...(there > 0 ? { range: `bytes=${there}-` } : {}) };
    const response = await fetch(address.url, { headers, redirect: 'follow', signal });
    quiet.expect(limits.idleTimeoutMs, 'the server stopped sending');
    if (response.status === 304 && known) return { kind: 'unchanged' };
    const from = response.status === 206 ? there : 0;
    if (there > 0 && !continues(response, there)) {
      await response.body?.cancel();
      await rm(file, { force: true });
      throw new Passing('what was there does not go on where it ended; it starts anew');
    }
    if (response.body === null || !response.ok) {
      await response.body?.cancel();
      throw statusError(response, address.shown);
    }
    const rest = lengthOf(response);
    const total = rest === undefined ? undefined : from + rest;
    if (total !== undefined && total > limits.downloadBytes) {
      await response.body.cancel();
      throw packageTooLarge(`${address.shown} has ${sizeText(total)}; the limit is ${sizeText(limits.downloadBytes)}`);
    }
    if (/^text\/html|^application\/xhtml/i.test(response.headers.get('content-type') ?? '')) {
      await response.body.cancel();
      throw packageIsHtml(
        `${address.shown} gave a web page instead of ${wanted}; use the address of the file itself, one that needs no sign-in`,
      );
    }
    const hash = createHash('sha256');
    if (from > 0) await hashFile(file, hash);
    let bytes = from;
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        quiet.expect(limits.idleTimeoutMs, 'the server stopped sending');
        bytes += chunk.length;
        if (bytes > limits.downloadBytes) {
          done(packageTooLarge(`${address.shown} is larger than the limit of ${sizeText(limits.downloadBytes)}`));
          return;
        }
        hash.update(chunk);
        onBytes?.(bytes, total);
        done(null, chunk);
      },
    });
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(file, { flags: from > 0 ? 'a' : 'w' }), {
      signal,
    });
    if (total !== undefined && bytes !== total) throw new Passing(`${bytes} of ${total} bytes arrived`);
    return { kind: 'file', sha256: hash.digest('hex'), bytes, validators: validatorsOf(response) };
  } catch (error) {
    if (quiet.signal.aborted && !whole.aborted) throw new Passing(quiet.reason);
    throw error;
  } finally {
    quiet.stop();
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    (found) => found.size,
    () => 0,
  );
}

async function hashFile(file: string, hash: Hash): Promise<void> {
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
}

/** Whether an answer to a request for the bytes after `there` can be used: those bytes, or all of them. */
function continues({ status, headers }: Response, there: number): boolean {
  if (status === 206) return Number(/^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1]) === there;
  return status !== 416;
}

/** Aborts when nothing happens for a while. */
class Silence {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  reason = '';

  constructor(ms: number, what: string) {
    this.expect(ms, what);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  expect(ms: number, what: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.reason = `${what} for ${ms / 1000} s`;
      this.#controller.abort();
    }, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function headersFor({ authorization }: HttpAddress, known: Validators | undefined): Record<string, string> {
  return {
    'user-agent': 'vantage-model-store',
    // A coded answer would hide the true length; a zip gains nothing by it.
    'accept-encoding': 'identity',
    ...(authorization === undefined ? {} : { authorization }),
    ...(known?.etag === undefined ? {} : { 'if-none-match': known.etag }),
    ...(known?.lastModified === undefined ? {} : { 'if-modified-since': known.lastModified }),
  };
}

function statusError({ status, statusText }: Response, shown: string): Error {
  const answer = `${status}${statusText ? ` ${statusText}` : ''}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return new Passing(`the server said ${answer}`);
  const hint =
    status === 404 || status === 410
      ? 'there is no such file; check the address'
      : status === 401 || status === 403
        ? 'access is refused; a package must be readable without sign-in, or its signature (SAS) has run out'
        : 'that is no file';
  return downloadRefused(`${shown}: the server said ${answer}: ${hint}`, { status });
}

function lengthOf(response: Response): number | undefined {
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  const coded = response.headers.get('content-encoding');
  return Number.isSafeInteger(length) && length >= 0 && (coded === null || coded === 'identity') ? length : undefined;
}

function validatorsOf({ headers }: Response): Validators {
  const etag = headers.get('etag');
  const lastModified = headers.get('last-modified');
  return { ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) };
}

/** undici wraps socket errors as `TypeError: fetch failed` or `terminated`, with the socket's error as cause. */
function isNetworkError(error: unknown): boolean {
  const code = codeOf(error) ?? codeOf(causeOf(error)) ?? '';
  if (/^(ENOSPC|EACCES|EROFS|EDQUOT|CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) return false;
  return textOf(error, 'name') === 'TypeError' || /^(E[A-Z]+|UND_ERR_[A-Z_]+)$/.test(code);
}

function reasonOf(error: unknown): string {
  const cause = causeOf(error);
  const code = codeOf(cause) ?? codeOf(error);
  const text = textOf(cause, 'message') || code || textOf(error, 'message') || 'an unknown reason';
  return redact(code !== undefined && !text.includes(code) ? `${text} (${code})` : text);
}

function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
}

/** Not by `instanceof`: undici's errors come from another realm where tests run in a context of their own. */
function textOf(error: unknown, key: 'name' | 'message'): string {
  const value = typeof error === 'object' && error !== null ? (error as Record<string, unknown>)[key] : undefined;
  return typeof value === 'string' ? value : '';
}
