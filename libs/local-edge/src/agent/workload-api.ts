import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { sign } from '../hub/sas.ts';
import type { IdentityStore } from '../state/identities.ts';

/** Room in `sockaddr_un` is 108 bytes on Linux and 104 on macOS, with the closing zero. */
const MAX_SOCKET_PATH = 103;
const MAX_BODY_BYTES = 64 * 1024;

/**
 * The workload API of one module on a Unix socket of its own: the trust bundle, and signatures with the module's key,
 * which never leaves the runtime (contract iot-edge-runtime A.3). What the Node SDK uses of it.
 */
export class WorkloadApi {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** The socket; anybody may connect who reaches its folder, which is the runtime's own. */
  get path(): string {
    return this.#path;
  }

  /** `unix:///…`: the value of IOTEDGE_WORKLOADURI. */
  get uri(): string {
    return `unix://${this.#path}`;
  }

  static async open(
    stateDir: string,
    moduleId: string,
    trustBundle: string,
    identities: IdentityStore,
    logger: Logger,
  ): Promise<WorkloadApi> {
    const path = await socketPath(stateDir, moduleId);
    await rm(path, { force: true });
    const server = createServer((request, response) => {
      answer(request, response, moduleId, trustBundle, identities).catch((error: unknown) => {
        logger.warn('a workload request failed', { module: moduleId, error: messageOf(error) });
        reply(response, 500, { message: messageOf(error) });
      });
    });
    server.listen(path);
    await once(server, 'listening');
    // In a container the module may be another user; on this machine the folder keeps others away.
    await chmod(path, 0o666);
    return new WorkloadApi(server, path);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    await rm(this.#path, { force: true });
  }
}

async function socketPath(stateDir: string, moduleId: string): Promise<string> {
  const near = join(stateDir, 'run', `${moduleId}.sock`);
  const hash = createHash('sha256').update(`${stateDir}\n${moduleId}`).digest('hex').slice(0, 16);
  const path = Buffer.byteLength(near) <= MAX_SOCKET_PATH ? near : join(tmpdir(), `vantage-${hash}`, 'w.sock');
  await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
  return path;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  moduleId: string,
  trustBundle: string,
  identities: IdentityStore,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://workload');
  if (request.method === 'GET' && url.pathname === '/trust-bundle') {
    reply(response, 200, { certificate: trustBundle });
    return;
  }
  const [, id, generation] = /^\/modules\/([^/]+)\/genid\/([^/]+)\/sign$/.exec(url.pathname) ?? [];
  if (request.method !== 'POST' || id === undefined || generation === undefined) {
    reply(response, 404, { message: `${request.method ?? ''} ${url.pathname} is not part of this workload API` });
    return;
  }
  const identity = identities.get(identities.hub.deviceId, moduleId);
  if (decodeURIComponent(id) !== moduleId || identity?.generationId !== decodeURIComponent(generation)) {
    reply(response, 404, { message: 'no such module or generation on this socket' });
    return;
  }
  const body = await readJson(request);
  if (typeof body?.['data'] !== 'string' || String(body['algo']).toUpperCase() !== 'HMACSHA256') {
    reply(response, 400, { message: 'algo HMACSHA256 and data (base64) expected' });
    return;
  }
  const key = body['keyId'] === 'secondary' ? identity.secondaryKey : identity.primaryKey;
  reply(response, 200, { digest: sign(key, Buffer.from(body['data'], 'base64')) });
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(bytes);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
