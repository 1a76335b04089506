import { codeOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { RtspServer, sourceUnavailable, type RtspSource } from '@vantage/rtsp';
import { CameraSource } from './camera-source.ts';
import type { LiveEntry, LiveHub } from './live-hub.ts';
import { isMosaic, isPainted } from './painted/painted-parts.ts';
import type { PaintedSources } from './painted/painted-sources.ts';
import { readStreamHeader } from './stream-header.ts';

export interface RtspOutOptions {
  readonly hub: LiveHub;
  readonly painted: PaintedSources;
  readonly logger: Logger;
  /** When it is taken, a free one is used instead, with a warning. 0 = a free one. */
  readonly port: number;
  readonly host: string;
}

const HEADER_TIMEOUT_MS = 5000;

/**
 * `rtsp://host:port/<pipeline>[/<sensor>]`, in any case: the camera's own packets; where `osd` is asked for, or the codec
 * is none that RTSP clients play, pictures that are painted and encoded here, once for all and only while somebody watches.
 * A pipeline of several cameras is all of them in one picture.
 */
export class RtspOut {
  readonly #options: RtspOutOptions;
  #server: RtspServer;

  constructor(options: RtspOutOptions) {
    this.#options = options;
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
  }

  get port(): number {
    return this.#server.port;
  }

  get activity(): { readonly clients: number; readonly painted: number } {
    return { clients: this.#server.activity.clients, painted: this.#options.painted.size };
  }

  /** Addresses of a camera, and of all of its pipeline in one picture where it is not the only one. */
  urls(entry: LiveEntry, host: string): { readonly rtsp: string; readonly mosaic?: string } {
    const { graph, source } = entry;
    const whole = this.#address(host, graph.id);
    return isMosaic(graph) ? { rtsp: this.#address(host, graph.id, source.sensor), mosaic: whole } : { rtsp: whole };
  }

  #address(host: string, ...path: string[]): string {
    return `rtsp://${host}:${this.port}/${path.map(encodeURIComponent).join('/')}`;
  }

  #serverOn(port: number): RtspServer {
    const { logger, host } = this.#options;
    return new RtspServer({ find: (path) => this.#find(path), logger, port, host });
  }

  async #find(path: string): Promise<RtspSource | undefined> {
    const [pipeline = '', sensor, ...more] = path.split('/');
    const { hub, painted } = this.#options;
    const entry = more.length === 0 ? hub.find(pipeline, sensor) : undefined;
    if (!entry) return undefined;
    if (sensor === undefined && isMosaic(entry.graph)) return painted.mosaic(entry.graph.id);
    const paint = isPainted(entry.graph);
    const header = await this.#header(entry);
    if (paint || !header) return painted.camera(entry, paint);
    return new CameraSource(hub.camera(entry), header, entry.status?.fps ?? 0);
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
