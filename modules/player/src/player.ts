import path from 'node:path';
import type { AddressInfo, Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { codeOf, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import { Access } from './access/access.ts';
import { sessionRoutes } from './access/session-routes.ts';
import type { ApiClipSource } from './api.ts';
import { createApp } from './app.ts';
import { Cameras } from './cameras/cameras.ts';
import { ObjectRates } from './cameras/object-rates.ts';
import { BlobSource } from './clips/blob-source.ts';
import { ClipIndex } from './clips/clip-index.ts';
import { clipRoutes, type ClipParts } from './clips/clip-routes.ts';
import { DetailsReader } from './clips/details.ts';
import { FolderSource } from './clips/folder-source.ts';
import { MediaUrls } from './clips/media-urls.ts';
import { Thumbnails } from './clips/thumbnails.ts';
import { portTaken } from './errors.ts';
import { healthRoutes } from './health/health-routes.ts';
import { HubLink } from './hub/hub-link.ts';
import { twinRoutes } from './hub/twin-routes.ts';
import { Twins } from './hub/twins.ts';
import { liveRoutes } from './live/live-routes.ts';
import { PipelineHttp } from './live/pipeline-http.ts';
import { modelRoutes } from './models/model-routes.ts';
import { Models } from './models/models.ts';
import { buildPage } from './page/build-page.ts';
import { Page } from './page/page-routes.ts';
import { whyRoutes } from './why/why-routes.ts';
import { requireClosed, type PlayerSettings } from './settings.ts';

const WEB = path.resolve(import.meta.dirname, '../web');

export interface PlayerOptions {
  readonly settings: PlayerSettings;
  readonly logger: Logger;
  readonly env?: NodeJS.ProcessEnv;
  /** Sources or result of the page. Default: those of this package. */
  readonly web?: string;
}

/** The Player's server: what a browser sees of a device, and the one place where its credentials are. */
export class Player {
  readonly #options: PlayerOptions;
  readonly #ending = new AbortController();
  readonly #page = new Page();
  readonly #sockets = new Set<Socket>();
  #app: FastifyInstance | undefined;
  #building: Promise<void> | undefined;

  constructor(options: PlayerOptions) {
    this.#options = options;
  }

  /**
   * Listens; the page is built behind it.
   *
   * @returns the address for a browser
   * @throws VantageError PLAYER_PORT_TAKEN, PLAYER_ACCESS_OPEN
   */
  async start(): Promise<string> {
    const { settings, logger, env = process.env } = this.#options;
    requireClosed(settings.host, settings.access);
    const link = new HubLink(settings.hub, env);
    const twins = new Twins(link, { env, logger, storage: settings.valueStorage });
    const host = env['VANTAGE_CONTAINER'] === '1' ? 'ai-pipeline' : '127.0.0.1';
    const pipeline = new PipelineHttp(settings.aiPipeline, host, twins);
    const access = new Access(settings.access);
    const cameras = new Cameras(twins, pipeline, new ObjectRates(pipeline));

    const app = await createApp(access, settings.access.proxies, logger);
    this.#app = app;
    sessionRoutes(app, access, link);
    app.get('/api/cameras', () => cameras.list());
    twinRoutes(app, twins);
    liveRoutes(app, pipeline);
    whyRoutes(app, link);
    await modelRoutes(app, new Models(settings, this.#ending.signal), twins);
    const clips = this.#clips(link);
    clipRoutes(app, clips);
    healthRoutes(app, { link, twins, sources: clips.sources });
    this.#page.register(app);
    app.server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await this.#listen(app);
    this.#building = this.#build();
    const { port } = app.server.address() as AddressInfo;
    return `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`;
  }

  /** Resolves when the page can be had, or cannot be built; what was wrong is in the log and on the page. */
  async pageBuilt(): Promise<void> {
    await this.#building;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#building;
    const closed = this.#app?.close();
    // Those of live streams are no longer the web server's: it would wait for as long as somebody watches.
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#app = undefined;
  }

  #clips(link: HubLink): ClipParts {
    const { recordings, storage, cacheFolder } = this.#options.settings;
    const { signal } = this.#ending;
    const folder = recordings === undefined ? undefined : new FolderSource(recordings);
    const blobs = storage === undefined ? undefined : new BlobSource(storage, async () => (await link.names()).device);
    const places = [folder, blobs].filter((place) => place !== undefined);
    const off: ApiClipSource = { state: 'off' };
    return {
      index: new ClipIndex(places, this.#options.logger, signal),
      details: new DetailsReader(signal),
      urls: new MediaUrls(),
      thumbnails: new Thumbnails(path.join(cacheFolder, 'thumbnails'), signal),
      sources: () => ({ device: folder?.state ?? off, storage: blobs?.state ?? off }),
      self: () => `http://127.0.0.1:${(this.#app?.server.address() as AddressInfo).port}`,
    };
  }

  async #listen(app: FastifyInstance): Promise<void> {
    const { host, port } = this.#options.settings;
    try {
      await app.listen({ host, port });
    } catch (error) {
      await app.close();
      throw codeOf(error) === 'EADDRINUSE' ? portTaken(host, port) : error;
    }
  }

  async #build(): Promise<void> {
    const { logger, web = WEB } = this.#options;
    try {
      const folder = await buildPage(web, (line) => logger.info(line), this.#ending.signal);
      if (folder === undefined) this.#page.missing('This Player came without its page; the API below /api answers.');
      else await this.#page.ready(folder);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      logger.error(messageOf(error), { code: codeOf(error) });
      this.#page.missing('The page could not be built; the log of the Player says why.');
    }
  }
}
