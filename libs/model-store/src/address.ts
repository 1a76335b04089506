import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { redact } from '@vantage/observability';
import { addressInvalid } from './errors.ts';

/** Where a package comes from. `shown` is fit for logs and errors: user info, signatures and tokens are hidden. */
export type Address =
  | { readonly kind: 'http'; readonly url: URL; readonly authorization: string | undefined; readonly shown: string }
  | { readonly kind: 'file'; readonly path: string; readonly shown: string };

/**
 * The address without anything secret in it: no user info, and of a URL no query at all, because any part of one may be
 * a signature, a key or a token under a name that nobody thought of.
 */
export function showAddress(address: string): string {
  const plain = redact(address);
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(plain)) return plain;
  const end = plain.search(/[?#]/);
  return end === -1 ? plain : `${plain.slice(0, end)}${plain[end] === '?' ? '?***' : ''}`;
}

/**
 * Reads an http, https or file URL, or a path. User info of a URL becomes a Basic authorization header, because `fetch`
 * refuses URLs that carry it.
 */
export function parseAddress(address: string): Address {
  const text = address.trim();
  const shown = showAddress(text);
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  if (text === '') throw addressInvalid('the address of the model package is empty');
  if (scheme === undefined) return { kind: 'file', path: path.resolve(text), shown };
  try {
    if (scheme === 'file') return { kind: 'file', path: fileURLToPath(new URL(text)), shown };
    if (scheme === 'http' || scheme === 'https') {
      const url = new URL(text);
      const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
      const authorization = user === ':' ? undefined : `Basic ${Buffer.from(user).toString('base64')}`;
      url.username = '';
      url.password = '';
      url.hash = '';
      return { kind: 'http', url, authorization, shown };
    }
  } catch (error) {
    // The cause of a URL error quotes its input, secrets included: it is left out on purpose.
    throw addressInvalid(`${shown} is not a usable address (${error instanceof Error ? error.name : 'unreadable'})`);
  }
  throw addressInvalid(`${shown}: only http, https and file addresses and plain paths are read, not "${scheme}:"`);
}

/** Query parts of an Azure Storage signature (SAS): they change while the file stays the same. */
const SAS_PARTS = ['sig', 'se', 'st', 'sp', 'sv', 'sr', 'spr', 'sip', 'skoid', 'sktid', 'skt', 'ske', 'sks', 'skv'];

/** What is remembered of a URL to find its package again: without user info and without a SAS. */
export function cacheKeyOf(url: URL): string {
  const plain = new URL(url);
  if (plain.searchParams.has('sig')) for (const part of SAS_PARTS) plain.searchParams.delete(part);
  return plain.href;
}
