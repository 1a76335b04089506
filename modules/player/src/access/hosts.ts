import net from 'node:net';
import { isLoopback, type AccessSettings } from '../settings.ts';

/**
 * Whether a request's Host header is one of ours. A page of a stranger can give its own name our address (DNS
 * rebinding), and then its requests are of the same origin; but they carry its name. Undefined port: any, for tunnels.
 *
 * @param isOpen nobody logs in: then nothing but the Host header keeps such a page away
 */
export function isKnownHost(header: string | undefined, { hosts }: AccessSettings, isOpen: boolean): boolean {
  const name = hostName(header);
  if (name === undefined) return false;
  if (isLoopback(name) || hosts.includes(name)) return true;
  // Behind a login a foreign name brings no cookie of ours; a list of names, if there is one, is kept to nevertheless.
  return !isOpen && (hosts.length === 0 || net.isIP(name) !== 0);
}

/** Whether the page that asks is our own. A browser names the origin of each request that can do harm. */
export function isOwnOrigin(origin: string | undefined, host: string | undefined, { hosts }: AccessSettings): boolean {
  if (origin === undefined) return true;
  let url: URL;
  try {
    url = new URL(origin);
  } catch {
    return false;
  }
  return url.host.toLowerCase() === host?.toLowerCase() || hosts.includes(url.hostname.toLowerCase());
}

/** The name in a Host header, in lower case, IPv6 without brackets. */
function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:/\s@[\]]+))(?::\d{1,5})?$/i.exec(header ?? '');
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}
