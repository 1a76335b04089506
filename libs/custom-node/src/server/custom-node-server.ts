import { rm } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { messageOf } from '@vantage/contracts';
import { Health, Metrics, silentLogger, startHealthServer, type HealthServer } from '@vantage/observability';
import { listenFailed, optionsInvalid } from '../errors.ts';
import type { ServerPixelPath } from '../pixel-path.ts';
import { HANDSHAKE_PATH, PROCESS_PATH, SERVER_MESSAGE_BYTES } from '../wire/service.ts';
import { SharedMemoryServerPath } from '../shared-memory/server-path.ts';
import type { CustomNode } from './custom-node.ts';
import { addReflection, NodeHealth } from './extra-services.ts';
import { NodeHandler } from './handler.ts';
import { nodeMetrics } from './node-metrics.ts';
import type { CustomNodeServerOptions } from './options.ts';
import { raiseReceiveWindow } from './receive-window.ts';

export const DEFAULT_PORT = 6677;
/** Health checks, reflection, handshakes, and frames that are told that there is no room. */
const SPARE_STREAMS = 16;
const ALL_INTERFACES = ['[::]', '0.0.0.0'];

const asIs = (bytes: Buffer): Buffer => bytes;
const method = (path: string): ServiceDefinition[string] => ({
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

/** What is there between `start` and `stop`. */
interface Running {
  readonly server: Server;
  readonly health: NodeHealth;
  readonly port: number;
  readonly pixelPath: ServerPixelPath | undefined;
  readonly http: { readonly server: HealthServer; readonly health: Health } | undefined;
}

/**
 * Serves one node to any number of clients: the contract's two calls, `grpc.health.v1` and reflection. May run in a worker
 * thread.
 */
export class CustomNodeServer {
  readonly #node: CustomNode;
  readonly #options: CustomNodeServerOptions;
  #running: Promise<Running> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(node: CustomNode, options: CustomNodeServerOptions = {}) {
    this.#node = node;
    this.#options = options;
  }

  /**
   * Starts the node, then listens.
   *
   * @returns the port; 0 for a Unix socket. And that of the metrics, where they are served
   * @throws VantageError CUSTOM_NODE_LISTEN_FAILED, CUSTOM_NODE_OPTIONS_INVALID; what the node's own `start` throws
   */
  async start(): Promise<{ readonly port: number; readonly metricsPort?: number }> {
    this.#running ??= this.#start();
    const { port, http } = await this.#running;
    return http === undefined ? { port } : { port, metricsPort: http.server.port };
  }

  /** Takes no new calls, lets those under way end (at most `drainMs`), then stops the node. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    await this.#stopped;
  }

  async #start(): Promise<Running> {
    const { logger = silentLogger, metricsPort } = this.#options;
    const metrics = this.#options.metrics ?? new Metrics();
    const maxMessageBytes = this.#options.maxMessageBytes ?? SERVER_MESSAGE_BYTES;
    if (!Number.isInteger(maxMessageBytes) || maxMessageBytes < 1024)
      throw optionsInvalid(`maxMessageBytes must be a whole number of bytes from 1024, not ${maxMessageBytes}`);
    const credentials = this.#credentials();
    await this.#node.start();
    const pixelPath =
      this.#options.sharedMemory === 'off' ? undefined : new SharedMemoryServerPath(this.#options.sharedMemoryFolder);
    const { concurrency = 1, waiting = 16 } = this.#options;
    const handler = new NodeHandler({
      node: this.#node,
      logger,
      metrics: nodeMetrics(metrics),
      concurrency,
      waiting,
      maxMessageBytes,
      token: this.#options.token,
      jpegQuality: this.#options.jpegQuality,
      pixelPath,
    });
    const server = new Server({
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.max_send_message_length': -1,
      // Frames are in memory before they are refused: one client cannot send more at a time than would have room anyway.
      'grpc.max_concurrent_streams': concurrency + waiting + SPARE_STREAMS,
    });
    server.addService(
      { handshake: method(HANDSHAKE_PATH), process: method(PROCESS_PATH) },
      { handshake: handler.handshake.bind(handler), process: handler.process.bind(handler) },
    );
    const health = new NodeHealth();
    health.addTo(server);
    addReflection(server, logger);
    try {
      const port = await this.#listen(server, credentials);
      if (raiseReceiveWindow(server) === 0)
        logger.warn('the receive window cannot be raised: large frames will be slow');
      const http = metricsPort === undefined ? undefined : await this.#serveMetrics(metricsPort, metrics);
      health.set(true);
      logger.info('custom node is ready', { port, ...(http === undefined ? {} : { metricsPort: http.server.port }) });
      return { server, health, port, pixelPath, http };
    } catch (error) {
      server.forceShutdown();
      pixelPath?.close();
      await this.#node.stop();
      throw error;
    }
  }

  async #listen(server: Server, credentials: ServerCredentials): Promise<number> {
    const { socketPath, host, port = DEFAULT_PORT } = this.#options;
    if (socketPath !== undefined) {
      // A server that was killed leaves its socket behind, and nobody can bind it again.
      await rm(socketPath, { force: true });
      await bind(server, `unix:${socketPath}`, credentials);
      return 0;
    }
    const hosts =
      host === undefined ? ALL_INTERFACES : [host.includes(':') && !host.startsWith('[') ? `[${host}]` : host];
    let failure: unknown;
    for (const candidate of hosts) {
      try {
        return await bind(server, `${candidate}:${port}`, credentials);
      } catch (error) {
        // Without IPv6 the first one fails, and says less than the second.
        failure = error;
      }
    }
    throw failure;
  }

  #credentials(): ServerCredentials {
    const { tls } = this.#options;
    if (tls === undefined) return ServerCredentials.createInsecure();
    const { cert, key, clientCa } = tls;
    try {
      // grpc-js would find out at the first connection.
      createSecureContext({ cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }) });
      return ServerCredentials.createSsl(
        clientCa ?? null,
        [{ cert_chain: cert, private_key: key }],
        clientCa !== undefined,
      );
    } catch (error) {
      throw optionsInvalid(`the certificate or key of the custom node cannot be used: ${messageOf(error)}`, error);
    }
  }

  async #serveMetrics(port: number, metrics: Metrics): Promise<Running['http']> {
    const { metricsHost, logger } = this.#options;
    const health = new Health();
    health.started();
    const server = await startHealthServer({
      port,
      metrics,
      health,
      ...(metricsHost === undefined ? {} : { host: metricsHost }),
      ...(logger === undefined ? {} : { logger }),
    });
    return { server, health };
  }

  async #stop(): Promise<void> {
    let running: Running | undefined;
    try {
      running = await this.#running;
    } catch {
      // `start` has said so.
    }
    if (running === undefined) return;
    running.health.set(false);
    running.http?.health.set('node', false, 'stopping');
    await drain(running.server, this.#options.drainMs ?? 10_000);
    running.pixelPath?.close();
    await running.http?.server.close();
    await this.#node.stop();
    if (this.#options.socketPath !== undefined) await rm(this.#options.socketPath, { force: true });
  }
}

async function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(listenFailed(address, error.message));
    });
  });
}

async function drain(server: Server, drainMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), drainMs);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
