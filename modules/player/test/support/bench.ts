import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { EdgeModule } from '@vantage/edge-client';
import { findHub, writeConnection, type Hub } from '@vantage/hub';
import { EdgeRuntime } from '@vantage/local-edge';
import { silentLogger } from '@vantage/observability';
import { WebSocketServer } from 'ws';
import { Player, readSettings, type ApiTwin } from '../../src/index.ts';
import { Browser } from './browser.ts';

export const SECRETS = ['c4mera-pass', 'url-pass', 'sas-signature'];
export const DESIRED = {
  azdaConfiguration: {
    platform: 'DeepStream',
    components: {
      sensors: [
        { name: 'street', kind: { type: 'vision', subtype: 'RTSP' }, endpoint: 'rtsp://10.0.0.7/one' },
        { name: 'yard', kind: { type: 'vision', subtype: 'RTSP' }, endpoint: 'rtsp://root:url-pass@10.0.0.8/two' },
      ],
      deepStream: {
        enable: true,
        pipelineConfigs: [
          { id: 'People', unsecureZipUrl: 'https://a.blob/m.zip?sig=sas-signature', primaryModelConfigPath: 'm.txt' },
        ],
        streams: [
          { name: 'street', uname: 'admin', password: 'c4mera-pass', configId: 'People' },
          { name: 'yard', uname: '', password: '', configId: 'People' },
        ],
      },
    },
  },
};
export type Desired = typeof DESIRED;

/** A Player at a real local runtime, with an ai-pipeline that is as much of one as the Player sees of it. */
export class Bench {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-player-'));
  readonly runtime: EdgeRuntime;
  /** Whether the ai-pipeline's HTTP does. */
  answers = true;
  readonly #stops: (() => unknown)[] = [];
  #hub: Hub | undefined;
  #url = '';

  private constructor() {
    this.runtime = new EdgeRuntime({ stateDir: this.#stateDir });
  }

  static async start(): Promise<Bench> {
    const bench = new Bench();
    await bench.#servePage();
    const port = await bench.#servePictures();
    await bench.#startRuntime();
    await bench.#startPipeline(port);
    bench.#url = await bench.startPlayer();
    return bench;
  }

  get url(): string {
    return this.#url;
  }

  get hub(): Hub {
    return this.#hub!;
  }

  get desired(): Desired['azdaConfiguration']['components'] {
    return (this.runtime.twin('controllermodule').desired as unknown as Desired).azdaConfiguration.components;
  }

  /** One more, with settings of its own. It ends with the bench. */
  async startPlayer(more: NodeJS.ProcessEnv = {}): Promise<string> {
    const env = {
      VANTAGE_HOME: path.join(this.folder, 'home'),
      VANTAGE_STATE: this.#stateDir,
      PLAYER_PORT: '0',
      PLAYER_CACHE: path.join(this.folder, 'cache'),
      ...more,
    };
    const web = path.join(this.folder, 'web');
    const player = new Player({ settings: readSettings(env), logger: silentLogger, env, web });
    this.#stops.unshift(() => player.stop());
    const url = await player.start();
    await player.pageBuilt();
    return url;
  }

  /** A browser that has been here before. */
  async open(base = this.#url): Promise<Browser> {
    const browser = new Browser(base);
    await browser.ask('/api/session');
    return browser;
  }

  /** Says where the runtime is, as `vantage up` does. */
  async announce(stateDir: string): Promise<void> {
    await mkdir(stateDir, { recursive: true });
    await writeConnection(stateDir, {
      pid: process.pid,
      deviceId: this.runtime.deviceId,
      apiPort: this.runtime.ports.api,
      serviceConnectionString: this.runtime.serviceConnectionString,
      caFile: this.runtime.caFile,
    });
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #stateDir(): string {
    return path.join(this.folder, 'state');
  }

  async #servePage(): Promise<void> {
    await mkdir(path.join(this.folder, 'web/dist/assets'), { recursive: true });
    await writeFile(path.join(this.folder, 'web/dist/index.html'), '<title>page</title>');
    await writeFile(path.join(this.folder, 'web/dist/assets/a-1.js'), '1');
    await writeFile(path.join(this.folder, 'secret.txt'), 'nobody may read this');
  }

  /** What the ai-pipeline serves beside its metrics, as far as the Player passes it on. */
  async #servePictures(): Promise<number> {
    const server = http.createServer((request, response) => {
      if (!this.answers) return void response.destroy();
      const tile = [0, 0, 0.5, 1];
      const street = { pipeline: 'People', sensor: 'street', mse: true, tile };
      if (request.url === '/live') response.end(JSON.stringify([street, { ...street, sensor: 'yard', tile: 'none' }]));
      else if (request.url === '/live/People.jpg') response.end('all of them');
      else if (request.url === '/live/People/street.jpg') response.end('a picture');
      else response.writeHead(404).end();
    });
    new WebSocketServer({ server, path: '/live/People/street' }).on('connection', (socket) => {
      socket.send('{"type":"init"}');
      socket.send(Buffer.from([1, 2, 3]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#stops.unshift(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  async #startRuntime(): Promise<void> {
    await this.runtime.start();
    this.#stops.unshift(() => this.runtime.stop());
    await this.runtime.moduleEnvironment('controllermodule');
    await this.runtime.patchDesired('controllermodule', DESIRED);
    await this.announce(this.#stateDir);
    this.#hub = await findHub({ state: this.#stateDir });
  }

  async #startPipeline(port: number): Promise<void> {
    const env = await this.runtime.moduleEnvironment('ai-pipeline');
    const pipeline = new EdgeModule({ logger: silentLogger, env });
    this.#stops.unshift(() => pipeline.close());
    pipeline.onMethod('why', (payload) => ({ status: 200, payload: { asked: payload } }));
    pipeline.start();
    await pipeline.ready();
    await pipeline.report({
      http: { port },
      pipelines: {
        People: {
          state: 'running',
          recording: false,
          model: { provider: 'cpu' },
          problems: [{ sensor: 'yard', message: 'cannot open rtsp://root:url-pass@10.0.0.8/two' }],
          cameras: { street: { state: 'running', framesPerSecond: 12.5, width: 1280, height: 720 } },
        },
      },
    });
  }
}

export async function twinOf(browser: Browser, module = 'controllermodule'): Promise<ApiTwin> {
  return (await browser.ask(`/api/twin/${module}`)).json<ApiTwin>();
}
