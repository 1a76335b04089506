import { posix } from 'node:path';
import { envInvalid } from './errors.ts';

/**
 * The folder on this machine behind a path inside the module's container. The process executor of the local runtime
 * says so in `VANTAGE_VOLUMES`, a JSON object container path -> host folder; the longest matching path wins. In a
 * real container nothing is set and the path is itself.
 *
 * @throws VantageError ENV_INVALID
 */
export function resolveVolume(containerPath: string, env: NodeJS.ProcessEnv = process.env): string {
  const wanted = posix.normalize(containerPath);
  let best: readonly [string, string] | undefined;
  for (const [path, folder] of Object.entries(stringMap(env, 'VANTAGE_VOLUMES'))) {
    const mount = posix.normalize(path).replace(/(?<=.)\/$/, '');
    const inside = wanted === mount || wanted.startsWith(mount === '/' ? '/' : `${mount}/`);
    if (inside && (best === undefined || mount.length > best[0].length)) best = [mount, folder];
  }
  if (best === undefined) return containerPath;
  const rest = wanted.slice(best[0].length).replace(/^\/+/, '');
  return rest === '' ? best[1] : posix.join(best[1], rest);
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * Where a host name of the module network really listens. `VANTAGE_HOSTS` is a JSON object: `name` or `name:port` ->
 * `host:port` (or only `host`, which keeps the port). Names in any case; `name:port` goes before `name`.
 *
 * @throws VantageError ENV_INVALID
 */
export function resolveHost(host: string, port: number, env: NodeJS.ProcessEnv = process.env): HostPort {
  const hosts = new Map(Object.entries(stringMap(env, 'VANTAGE_HOSTS')).map(([name, to]) => [name.toLowerCase(), to]));
  const name = host.toLowerCase();
  const target = hosts.get(`${name}:${port}`) ?? hosts.get(name);
  if (target === undefined) return { host, port };
  const match = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(target);
  if (match === null) throw envInvalid('VANTAGE_HOSTS', 'a JSON object of host names to "host:port"');
  return { host: match[1] ?? target, port: match[2] === undefined ? port : Number(match[2]) };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  rtsp: 554,
  rtsps: 322,
  http: 80,
  https: 443,
  ws: 80,
  wss: 443,
  grpc: 50051,
};

/**
 * A URL with host and port as {@link resolveHost} says; everything else, user info included, stays letter by letter
 * (the URL class would re-encode camera passwords). What is no `scheme://host` URL comes back unchanged.
 */
export function rewriteEndpoint(url: string, env: NodeJS.ProcessEnv = process.env): string {
  const match = /^([a-z][a-z0-9+.-]*):\/\/((?:[^/?#]*@)?)(\[[^\]]+\]|[^:/?#[\]@]+)(?::(\d{1,5}))?(?=[/?#]|$)/i.exec(
    url,
  );
  if (match === null) return url;
  const [whole, scheme = '', userInfo = '', host = '', portText] = match;
  const port = portText === undefined ? (DEFAULT_PORTS[scheme.toLowerCase()] ?? 0) : Number(portText);
  const target = resolveHost(host, port, env);
  if (target.host === host && target.port === port) return url;
  return `${scheme}://${userInfo}${target.host}${target.port === 0 ? '' : `:${target.port}`}${url.slice(whole.length)}`;
}

function stringMap(env: NodeJS.ProcessEnv, name: string): Record<string, string> {
  const text = env[name];
  if (text === undefined || text.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw envInvalid(name, 'a JSON object of strings', cause);
  }
  const isMap = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  if (!isMap || !Object.values(parsed as object).every((value) => typeof value === 'string')) {
    throw envInvalid(name, 'a JSON object of strings');
  }
  return parsed as Record<string, string>;
}
