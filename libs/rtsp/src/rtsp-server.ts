import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Logger } from '@vantage/observability';
import { openDatagramPair } from './datagram-pair.ts';
import { RtspConnection } from './rtsp-connection.ts';
import type { RtspSource } from './rtsp-source.ts';

const MAX_CLIENTS = 200;

export interface RtspServerOptions {
  /**
   * What an address stands for. Undefined: 404. Throws RTSP_SOURCE_UNAVAILABLE: 503; another VantageError: 415.
   *
   * @param path of the URL, decoded, without the slashes around it
   */
  readonly find: (path: string) => RtspSource | undefined | Promise<RtspSource | undefined>;
  readonly logger: Logger;
  /** 0 takes a free one. */
  readonly port: number;
  readonly host: string;
}

/** Plays sources to RTSP clients (RFC 2326), inside the connection (TCP) or as datagrams. Asks nobody who he is. */
export class RtspServer {
  readonly #options: RtspServerOptions;
  readonly #connections = new Set<RtspConnection>();
  #server: Server | undefined;
  #datagrams: ReturnType<typeof openDatagramPair> | undefined;

  constructor(options: RtspServerOptions) {
    this.#options = options;
  }

  /** @throws the system's error when the port cannot be had */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const { find, logger, host, port } = this.#options;
    const context = { find, logger, datagrams: () => (this.#datagrams ??= openDatagramPair(host)) };
    const server = createServer((socket) => {
      if (this.#connections.size >= MAX_CLIENTS) {
        socket.destroy();
        return;
      }
      const connection = new RtspConnection(socket, context);
      this.#connections.add(connection);
      socket.on('close', () => this.#connections.delete(connection));
    });
    server.listen(port, host);
    await once(server, 'listening');
    this.#server = server;
    logger.info('RTSP server listens', { port: this.port });
  }

  /** The port it really listens on; 0 when it does not. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null | undefined)?.port ?? 0;
  }

  /** Who plays what now. */
  get activity(): { streams: number; clients: number } {
    const playing = [...this.#connections].flatMap((connection) => connection.playing ?? []);
    const names = playing.map(({ source }) => source.description.name);
    return { streams: new Set(names).size, clients: playing.length };
  }

  /** Frames left out for slow clients that are connected now. */
  get droppedFrames(): number {
    return [...this.#connections].reduce((sum, connection) => sum + (connection.playing?.dropped ?? 0), 0);
  }

  /** Cuts all connections, as a camera that loses power does. */
  disconnectAll(): void {
    for (const connection of this.#connections) connection.close();
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    this.disconnectAll();
    await closed;
    const sockets = await this.#datagrams?.catch(() => undefined);
    this.#datagrams = undefined;
    sockets?.rtp.close();
    sockets?.rtcp.close();
  }
}
