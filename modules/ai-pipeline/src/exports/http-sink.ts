import { rewriteEndpoint } from '@vantage/observability';
import { reasonOf } from './reason.ts';
import type { ExportSink } from './sink.ts';

export interface HttpSinkOptions {
  /** http or https; a user and a password in it become basic authentication. */
  readonly url: string;
  /** The body is a JSON string that contains the document, as the reference's runtime sends it (contract B). */
  readonly doubleEncoded: boolean;
  /** For the whole exchange, redirections included. Default 10 s. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 10_000;
const MAX_REDIRECTIONS = 3;
const MAX_BYTES = 8 << 20;

/** POSTs documents, one at a time. Nothing is sent twice: what fails is told. */
export class HttpSink implements ExportSink {
  readonly target: string;
  readonly maxBytes = MAX_BYTES;
  readonly #options: HttpSinkOptions;

  constructor(options: HttpSinkOptions) {
    this.#options = options;
    this.target = placeOf(options.url);
  }

  async send(document: string, signal: AbortSignal): Promise<void> {
    const deadlineMs = this.#options.deadlineMs ?? DEADLINE_MS;
    const timeout = AbortSignal.timeout(deadlineMs);
    const body = this.#options.doubleEncoded ? JSON.stringify(document) : document;
    try {
      await post(addressOf(this.#options.url), body, AbortSignal.any([signal, timeout]));
    } catch (error) {
      if (timeout.aborted) throw new Error(`no answer within ${deadlineMs} ms`, { cause: error });
      throw error;
    }
  }
}

interface Address {
  readonly url: URL;
  /** Only for the origin that it was written for. */
  readonly authorization?: string;
}

function addressOf(text: string): Address {
  const url = URL.canParse(rewriteEndpoint(text)) ? new URL(rewriteEndpoint(text)) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new Error('the url is not http:// or https://');
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { url };
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { url, authorization: `Basic ${Buffer.from(user).toString('base64')}` };
}

/** Redirections are followed as what they are for a message: the same message to another place. */
async function post(address: Address, body: string, signal: AbortSignal): Promise<void> {
  let { url } = address;
  let authorization = address.authorization;
  for (let hop = 0; hop <= MAX_REDIRECTIONS; hop += 1) {
    const headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) };
    const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal }).catch(
      (error: unknown) => {
        const reason = reasonOf(error);
        // https://fetch.spec.whatwg.org/#port-blocking
        throw new Error(reason === 'bad port' ? `port ${url.port} is one that is never posted to` : reason, {
          cause: error,
        });
      },
    );
    // What it answers is of no interest, and may be endless.
    await response.body?.cancel();
    if (response.ok) return;
    const location = response.headers.get('location');
    if (![301, 302, 307, 308].includes(response.status) || location === null) {
      throw new Error(`it answered ${response.status}`);
    }
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    if (!next || !(next.protocol === url.protocol || next.protocol === 'https:')) {
      throw new Error('it answered with a redirection that is not followed');
    }
    if (next.origin !== url.origin) authorization = undefined;
    next.username = '';
    next.password = '';
    url = next;
  }
  throw new Error(`it answered with more than ${MAX_REDIRECTIONS} redirections`);
}

/** Without user, password and query, where keys of functions stand. */
function placeOf(text: string): string {
  if (!URL.canParse(text)) return 'an address that cannot be read';
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname}`;
}
