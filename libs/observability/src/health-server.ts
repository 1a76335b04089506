import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { codeOf } from '@vantage/contracts';
import { envInvalid } from './errors.ts';
import type { Health } from './health.ts';
import { silentLogger, type Logger } from './logger.ts';
import type { HttpRoutes } from './http-routes.ts';
import type { Metrics } from './metrics.ts';

export interface HealthServerOptions {
  /** 0 = a free one. When the port is taken a free one is used instead, with a warning. */
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly metrics: Metrics;
  readonly health: Health;
  /** What the module answers besides. */
  readonly routes?: HttpRoutes;
  readonly logger?: Logger;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** The port of edgeHub's own metrics; what a Prometheus scraper on IoT Edge looks for. */
const CONTAINER_PORT = 9600;

/** Serves `/metrics` (Prometheus), `/healthz` and `/readyz` (200 or 503, JSON), and a module's own paths. Holds no process alive. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const logger = options.logger ?? silentLogger;
  const host = options.host ?? '127.0.0.1';
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      logger.warn('a metrics request failed', { error });
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  const upgraded = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    const handler = options.routes?.handlerOf(pathOf(request));
    if (!handler?.upgrade) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    // The server forgets connections that have become something else, and would wait for them at its end.
    upgraded.add(socket);
    socket.on('close', () => upgraded.delete(socket));
    handler.upgrade(request, socket, head);
  });
  server.unref();
  try {
    await listen(server, options.port, host);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    await listen(server, 0, host);
    logger.warn(`metrics port ${options.port} is taken, a free one is used`, { port: portOf(server) });
  }
  return {
    port: portOf(server),
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await once(server, 'close');
    },
  };
}

/**
 * Where the health server listens by `VANTAGE_METRICS_PORT` (a port, 0 = free, `off`) and `VANTAGE_METRICS_HOST`.
 * Default: port 9600 on all interfaces in a container, a free loopback port elsewhere. Undefined = off.
 *
 * @throws VantageError ENV_INVALID
 */
export function healthAddress(env: NodeJS.ProcessEnv): { readonly port: number; readonly host: string } | undefined {
  const inContainer = env['VANTAGE_CONTAINER'] === '1' || existsSync('/.dockerenv');
  const host = env['VANTAGE_METRICS_HOST'] ?? (inContainer ? '0.0.0.0' : '127.0.0.1');
  const text = env['VANTAGE_METRICS_PORT']?.trim().toLowerCase();
  if (text === undefined || text === '') return { host, port: inContainer ? CONTAINER_PORT : 0 };
  if (text === 'off') return undefined;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw envInvalid('VANTAGE_METRICS_PORT', 'a port from 0 to 65535, or "off"');
  return { host, port };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HealthServerOptions): Promise<void> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  if (path === '/metrics') {
    const text = await options.metrics.text();
    response.writeHead(200, { 'content-type': options.metrics.contentType }).end(text);
    return;
  }
  if (path === '/healthz' || path === '/readyz') {
    const snapshot = options.health.snapshot();
    const ok = path === '/healthz' ? snapshot.live : snapshot.ready;
    response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify(snapshot));
    return;
  }
  const route = options.routes?.get(path);
  if (route) {
    const { status, body, contentType = 'application/json' } = await route(new URLSearchParams(query));
    response.writeHead(status, { 'content-type': contentType }).end(body);
    return;
  }
  const handler = options.routes?.handlerOf(path);
  if (handler) {
    await handler.request(request, response);
    return;
  }
  response.writeHead(404).end();
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0] ?? '/';
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  const listening = once(server, 'listening');
  server.listen(port, host);
  await listening;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
