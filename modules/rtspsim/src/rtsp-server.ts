import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Ffmpeg } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import { openDatagramPair } from './datagram-pair.ts';
import { MediaLibrary } from './media-library.ts';
import type { Faults } from './play-session.ts';
import { RtspConnection } from './rtsp-connection.ts';

const MAX_CLIENTS = 200;

export interface RtspServerOptions {
  /** The folder behind `/media/`. */
  readonly folder: string;
  readonly ffmpeg: Ffmpeg;
  readonly logger: Logger;
  /** 0 takes a free one. Default 554. */
  readonly port?: number;
  /** Default 0.0.0.0. */
  readonly host?: string;
}

/**
 * Serves the videos of a folder as cameras: `rtsp://host:port/media/<file>`, over TCP and UDP, each client from the
 * start of the file, round after round, with times that never go back.
 */
export class RtspServer {
  /** Switches for tests. */
  readonly faults: Faults = { frozen: false, clockShiftUs: 0 };
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
    const { folder, ffmpeg, logger, host = '0.0.0.0', port = 554 } = this.#options;
    const library = new MediaLibrary(folder, ffmpeg);
    const context = {
      library,
      logger,
      faults: this.faults,
      datagrams: () => (this.#datagrams ??= openDatagramPair(host)),
    };
    const server = createServer((socket) => {
      if (this.#connections.size >= MAX_CLIENTS) {
        socket.destroy();
        return;
      }
      const connection = new RtspConnection(socket, context);
      this.#connections.add(connection);
      socket.on('close', () => this.#connections.delete(connection));
    });
    this.#server = server;
    server.listen(port, host);
    await once(server, 'listening');
    logger.info('RTSP server listens', { port: this.port });
  }

  /** The port it really listens on. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null | undefined)?.port ?? 0;
  }

  /** The address of a file on this machine. */
  url(file: string): string {
    return `rtsp://127.0.0.1:${this.port}/media/${encodeURIComponent(file)}`;
  }

  /** Who plays what now. */
  get activity(): { streams: number; clients: number } {
    const playing = [...this.#connections].flatMap((connection) => connection.playing ?? []);
    return { streams: new Set(playing.map((session) => session.file.name)).size, clients: playing.length };
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
