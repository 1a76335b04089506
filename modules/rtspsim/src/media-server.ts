import type { Ffmpeg } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import { RtspServer, type RtspSource } from '@vantage/rtsp';
import { FilePlayback, type Faults } from './file-playback.ts';
import { MediaLibrary } from './media-library.ts';

export interface MediaServerOptions {
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
export class MediaServer {
  /** Switches for tests. */
  readonly faults: Faults = { frozen: false, clockShiftUs: 0 };
  readonly #library: MediaLibrary;
  readonly #server: RtspServer;

  constructor({ folder, ffmpeg, logger, host = '0.0.0.0', port = 554 }: MediaServerOptions) {
    this.#library = new MediaLibrary(folder, ffmpeg);
    this.#server = new RtspServer({ find: (path) => this.#find(path), logger, host, port });
  }

  /** @throws the system's error when the port cannot be had */
  start(): Promise<void> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** The port it really listens on. */
  get port(): number {
    return this.#server.port;
  }

  /** The address of a file on this machine. */
  url(file: string): string {
    return `rtsp://127.0.0.1:${this.port}/media/${encodeURIComponent(file)}`;
  }

  /** Who plays what now. */
  get activity(): RtspServer['activity'] {
    return this.#server.activity;
  }

  /** Frames left out for slow clients that are connected now. */
  get droppedFrames(): number {
    return this.#server.droppedFrames;
  }

  /** Cuts all connections, as a camera that loses power does. */
  disconnectAll(): void {
    this.#server.disconnectAll();
  }

  async #find(path: string): Promise<RtspSource | undefined> {
    const name = /^media\/(.+)$/.exec(path)?.[1];
    const file = name === undefined ? undefined : await this.#library.find(name);
    return file && { description: file, open: (receiver) => new FilePlayback(file, receiver, this.faults) };
  }
}
