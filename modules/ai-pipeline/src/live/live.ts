import { existsSync } from 'node:fs';
import { messageOf } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import type { HttpRoutes, Logger } from '@vantage/observability';
import type { Engine } from '../engine/engine.ts';
import { liveSettingInvalid } from '../errors.ts';
import { LiveApi } from './live-api.ts';
import { LiveHub } from './live-hub.ts';
import { PaintedSources } from './painted/painted-sources.ts';
import { RtspOut } from './rtsp-out.ts';

export interface RtspAddress {
  readonly port: number;
  readonly host: string;
}

export interface LiveOptions {
  readonly engine: Engine;
  readonly ffmpeg: Ffmpeg;
  readonly logger: Logger;
  readonly routes: HttpRoutes;
  /** Undefined: no RTSP. */
  readonly rtsp: RtspAddress | undefined;
}

/** Of the contract: published to the device's network. */
const RTSP_PORT = 8554;

/**
 * Where RTSP is served by `VANTAGE_RTSP_PORT` (a port, 0 = free, `off`) and `VANTAGE_RTSP_HOST`. Default: 8554 on all
 * interfaces in a container, on loopback elsewhere.
 *
 * @throws VantageError LIVE_SETTING_INVALID
 */
export function rtspAddress(env: NodeJS.ProcessEnv): RtspAddress | undefined {
  const inContainer = env['VANTAGE_CONTAINER'] === '1' || existsSync('/.dockerenv');
  const host = env['VANTAGE_RTSP_HOST'] ?? (inContainer ? '0.0.0.0' : '127.0.0.1');
  const text = env['VANTAGE_RTSP_PORT']?.trim().toLowerCase() ?? '';
  if (text === 'off') return undefined;
  const port = text === '' ? RTSP_PORT : Number(text);
  if (!/^\d*$/.test(text) || port > 65_535) {
    throw liveSettingInvalid(`VANTAGE_RTSP_PORT is "${text}"; it has to be a port from 0 to 65535, or "off"`);
  }
  return { port, host };
}

/** What the cameras see now, for people: `/live` over HTTP, and RTSP. Costs nothing while nobody watches. */
export class Live {
  readonly hub: LiveHub;
  readonly api: LiveApi;
  readonly #options: LiveOptions;
  readonly #painted: PaintedSources;
  #rtsp: RtspOut | undefined;

  constructor(options: LiveOptions) {
    const { engine, ffmpeg, logger, rtsp } = options;
    this.#options = options;
    this.hub = new LiveHub(engine);
    const { hub } = this;
    const painted = new PaintedSources({ hub, ffmpeg, logger });
    this.#painted = painted;
    this.#rtsp = rtsp && new RtspOut({ hub, painted, logger, ...rtsp });
    this.api = new LiveApi({ hub, ffmpeg, painted, rtspUrls: (entry, host) => this.rtsp?.urls(entry, host) ?? {} });
  }

  /** Undefined where it is not wanted, or its address cannot be had. */
  get rtsp(): RtspOut | undefined {
    return this.#rtsp;
  }

  async start(): Promise<void> {
    this.hub.start();
    this.#options.routes.mount('/live', this.api);
    try {
      await this.#rtsp?.start();
    } catch (error) {
      // Cameras and their insights do not depend on who may watch them.
      this.#rtsp = undefined;
      this.#options.logger.error(`RTSP is not served: ${messageOf(error)} (VANTAGE_RTSP_PORT, VANTAGE_RTSP_HOST)`);
    }
  }

  async stop(): Promise<void> {
    this.api.stop();
    await this.#rtsp?.stop();
    this.#painted.stop();
    this.hub.stop();
  }
}
