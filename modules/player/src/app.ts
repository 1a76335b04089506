import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import websocket from '@fastify/websocket';
import { VantageError, messageOf } from '@vantage/contracts';
import { redact, type Logger } from '@vantage/observability';
import type { Access } from './access/access.ts';
import type { ApiError } from './api.ts';
import { FRAMEWORK_CODES, tooManyRequests } from './errors.ts';

/** Status of errors that come from below. */
const STATUS: Readonly<Record<string, number>> = {
  TWIN_CHANGED: 412,
  TWIN_TOO_LARGE: 413,
  HISTORY_EMPTY: 404,
  MODULE_OFFLINE: 503,
  METHOD_UNANSWERED: 504,
  RUNTIME_NOT_FOUND: 503,
  RUNTIME_NOT_RUNNING: 503,
  HUB_UNREACHABLE: 503,
  HUB_UNKNOWN: 503,
  DEVICE_UNKNOWN: 503,
  MODULE_UNKNOWN: 404,
  HUB_REFUSED: 502,
  HUB_CALL_FAILED: 502,
  TWIN_BLOB_UNREADABLE: 502,
  TWIN_BLOB_INVALID: 502,
  BLOB_STORE_UNKNOWN: 413,
  BLOB_STORE_FAILED: 503,
};

const MAX_SOCKET_BYTES = 64 * 1024;

/** The web server with its doors: who comes in, what a page may do, and how errors are told. Routes are added to it. */
export async function createApp(access: Access, proxies: readonly string[], logger: Logger): Promise<FastifyInstance> {
  const app = fastify({
    trustProxy: [...proxies],
    bodyLimit: 64 * 1024,
    // A browser that opens a connection and says nothing holds it no longer than this.
    connectionTimeout: 60_000,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 512 },
  });
  app.setErrorHandler((error: unknown, _request, reply) => {
    const { status, body } = describeError(error);
    if (status >= 500) logger.warn(body.message, { code: body.code });
    return reply.status(status).send(body);
  });
  app.setNotFoundHandler((_request, reply) =>
    reply.status(404).send({ code: 'NOT_FOUND', message: 'there is nothing here' } satisfies ApiError),
  );
  await app.register(cookie);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        imgSrc: ["'self'", 'blob:', 'data:'],
        mediaSrc: ["'self'", 'blob:'],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // Without TLS there is nothing to be strict about; with it, that is the proxy's.
    strictTransportSecurity: false,
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (request.url.startsWith('/api')) void reply.header('cache-control', 'no-store');
    try {
      access.check(request);
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  await app.register(rateLimit, { global: false, errorResponseBuilder: () => tooManyRequests() });
  await app.register(websocket, { options: { maxPayload: MAX_SOCKET_BYTES } });
  return app;
}

function describeError(error: unknown): { readonly status: number; readonly body: ApiError } {
  if (!VantageError.is(error)) {
    const { statusCode } = error as Partial<FastifyError>;
    // Of Fastify itself: a body that is too large or no JSON.
    const status = statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
    const message = status === 500 ? `the Player failed: ${messageOf(error)}` : messageOf(error);
    return { status, body: { code: FRAMEWORK_CODES[status] ?? 'REQUEST_INVALID', message: redact(message) } };
  }
  const { status, path, issues } = error.details as { status?: number; path?: string; issues?: ApiError['issues'] };
  return {
    status: status ?? STATUS[error.code] ?? 500,
    body: {
      code: error.code,
      message: redact(error.message),
      ...(path === undefined || path === '' ? {} : { path }),
      ...(issues === undefined ? {} : { issues }),
    },
  };
}
