import type { Ffmpeg } from '@vantage/media';
import { codeOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { RtspServer, sourceUnavailable, type RtspSource } from '@vantage/rtsp';
import { nodesOf } from '@vantage/skill';
import { CameraSource } from './camera-source.ts';
import type { LiveEntry, LiveHub } from './live-hub.ts';
import { PaintedSources } from './painted/painted-sources.ts';
import { readStreamHeader } from './stream-header.ts';

export interface RtspOutOptions {
  readonly hub: LiveHub;
  readonly ffmpeg: Ffmpeg;
  readonly logger: Logger;
  /** When it is taken, a free one is used instead, with a warning. 0 = a free one. */
  readonly port: number;
  readonly host: string;
}

const HEADER_TIMEOUT_MS = 5000;

/**
 * `rtsp://host:port/<pipeline>[/<sensor>]`, in any case: the camera's own packets; where `osd` is asked for, or the codec
 * is none that RTSP clients play, pictures that are painted and encoded here, once for all and only while somebody watches.
 */
export class RtspOut {
  readonly #options: RtspOutOptions;
  readonly #painted: PaintedSources;
  #server: RtspServer;

  constructor(options: RtspOutOptions) {
    this.#options = options;
    this.#painted = new PaintedSources(options);
    this.#server = this.#serverOn(options.port);
  }

  async start(): Promise<void> {
    try {
      await this.#server.start();
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE') throw error;
      this.#server = this.#serverOn(0);
      await this.#server.start();
      this.#options.logger.warn(`RTSP port ${this.#options.port} is taken, a free one is used`, { port: this.port });
    }
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    this.#painted.stop();
  }

  get port(): number {
    return this.#server.port;
  }

  get activity(): { readonly clients: number; readonly painted: number } {
    return { clients: this.#server.activity.clients, painted: this.#painted.size };
  }

  /** The address of a camera, seen from where `host` means this machine. */
  url({ graph, source }: LiveEntry, host: string): string {
    const isOnly = nodesOf(graph, 'source').length === 1;
    const path = [graph.id, ...(isOnly ? [] : [source.sensor])].map(encodeURIComponent).join('/');
    return `rtsp://${host}:${this.port}/${path}`;
  }

  #serverOn(port: number): RtspServer {
    const { logger, host } = this.#options;
    return new RtspServer({ find: (path) => this.#find(path), logger, port, host });
  }

  async #find(path: string): Promise<RtspSource | undefined> {
    const [pipeline = '', sensor, ...more] = path.split('/');
    const entry = more.length === 0 ? this.#options.hub.find(pipeline, sensor) : undefined;
    if (!entry) return undefined;
    const isPainted = nodesOf(entry.graph, 'recorder').some(({ overlay }) => overlay);
    const header = await this.#header(entry);
    if (isPainted || !header) return this.#painted.get(entry, isPainted);
    return new CameraSource(this.#options.hub.camera(entry), header, entry.status?.fps ?? 0);
  }

  /** What the camera sends now; undefined for a codec without NAL units. @throws RTSP_SOURCE_UNAVAILABLE */
  async #header(entry: LiveEntry): Promise<ReturnType<typeof readStreamHeader>> {
    const camera = this.#options.hub.camera(entry);
    const found = Promise.withResolvers<Uint8Array | undefined>();
    const timer = setTimeout(() => found.resolve(undefined), HEADER_TIMEOUT_MS);
    const leave = camera.watch({ onHeader: found.resolve, onEnd: () => found.resolve(undefined) });
    const bytes = await found.promise;
    clearTimeout(timer);
    leave();
    const reason = entry.status?.reason;
    if (!bytes) throw sourceUnavailable(`${camera.pipeline}/${camera.sensor}`, reason || 'the camera sends nothing');
    return readStreamHeader(bytes);
  }
}
