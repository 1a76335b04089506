import { endpointInvalid } from './errors.ts';

/** Where a node is. */
export interface Endpoint {
  /** What gRPC is given: `dns:host:port` or `unix:path`. */
  readonly target: string;
  /** Empty for `unix:`. */
  readonly host: string;
  /** 0 for `unix:`. */
  readonly port: number;
  /** The scheme asks for TLS (`https`, `grpcs`). */
  readonly tls: boolean;
  /** Had no meaning on the wire and has none here; kept for messages. */
  readonly route?: string;
}

const SCHEMES = ['http', 'https', 'grpc', 'grpcs', 'dns', 'ipv4', 'ipv6'];
const TLS_SCHEMES = new Set(['https', 'grpcs']);
const MAX_LENGTH = 2048;

/**
 * Reads the forms of contract A "Endpoint string": `host:port`, `[::1]:port`, with an optional scheme (`http`, `https`,
 * `grpc`, `grpcs`, `dns`, `ipv4`, `ipv6`) and an optional `/route`, which gRPC has no use for and which is dropped; or
 * `unix:path`.
 *
 * @throws VantageError CUSTOM_NODE_ENDPOINT_INVALID
 */
export function parseEndpoint(text: string): Endpoint {
  const endpoint = text.trim();
  const fail = (reason: string): never => {
    throw endpointInvalid(printable(endpoint), reason);
  };
  if (endpoint === '') fail('is empty');
  if (endpoint.length > MAX_LENGTH) fail(`is longer than ${MAX_LENGTH} characters`);
  if (/[\s\p{Cc}]/u.test(endpoint)) fail('holds a blank or a control character');
  const unix = /^unix:(?:\/\/(?=\/))?(.*)$/.exec(endpoint);
  if (unix !== null) {
    const path = unix[1] ?? '';
    if (path === '' || path === '//') fail('names no socket');
    return { target: `unix:${path}`, host: '', port: 0, tls: false };
  }
  const { scheme, rest } = withoutScheme(endpoint);
  if (scheme !== undefined && !SCHEMES.includes(scheme)) fail(`has the unknown scheme "${scheme}"`);
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const route = slash < 0 ? '' : rest.slice(slash);
  if (authority.includes('@')) fail('holds credentials; use a token instead');
  const parts = /^(?:\[([0-9a-f:.]+(?:%\w+)?)\]|([^:[\]?#]+)):(\d{1,6})$/i.exec(authority);
  if (parts === null) return fail(/^[^:]*$/.test(authority) ? 'has no port' : 'is not host:port');
  const port = Number(parts[3]);
  if (port < 1 || port > 65_535) fail(`has the port ${port}; ports are 1 to 65535`);
  const host = parts[1] ?? parts[2] ?? '';
  const written = parts[1] === undefined ? host : `[${host}]`;
  return {
    target: `dns:${written}:${port}`,
    host,
    port,
    tls: scheme !== undefined && TLS_SCHEMES.has(scheme),
    ...(route === '' || route === '/' ? {} : { route }),
  };
}

/** `dns:///h:1` and `dns:h:1` are gRPC's own forms; every other scheme has two slashes. */
function withoutScheme(endpoint: string): { scheme?: string; rest: string } {
  const slashes = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(endpoint);
  if (slashes !== null)
    return { scheme: (slashes[1] ?? '').toLowerCase(), rest: (slashes[2] ?? '').replace(/^\//, '') };
  const short = /^(dns|ipv4|ipv6):(?!\d{1,6}(?:\/|$))(.*)$/i.exec(endpoint);
  if (short !== null) return { scheme: (short[1] ?? '').toLowerCase(), rest: short[2] ?? '' };
  return { rest: endpoint };
}

/** An endpoint may be anything, a log line may not. */
function printable(text: string): string {
  return text
    .replaceAll(/[\p{Cc}]/gu, '?')
    .replace(/\/\/[^/@]*@/, '//***@')
    .slice(0, 200);
}
