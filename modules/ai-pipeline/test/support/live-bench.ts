import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { WorkerPool } from '@vantage/inference';
import { readCodecConfiguration, readEncodedFile, resolveFfmpeg, splitFrame, type Ffmpeg } from '@vantage/media';
import {
  Health,
  HttpRoutes,
  Metrics,
  silentLogger,
  startHealthServer,
  type HealthServer,
} from '@vantage/observability';
import { RtspServer, type RtspSource } from '@vantage/rtsp';
import type { GraphNode, SkillGraph, SourceNode } from '@vantage/skill';
import { Engine, Live } from '../../src/index.ts';

const run = promisify(execFile);

/** Frames of a clip, 25 a second: which one it is can be read from its eight bars, and from nothing else. */
export const WIDTH = 320;
export const HEIGHT = 180;
export const FRAMES = 50;

export interface LiveText {
  readonly type: 'init' | 'insights' | 'skipped';
  readonly mimeType?: string;
  readonly ptsUs?: number;
  readonly frames?: number;
  readonly width?: number;
  readonly baseTimeMs?: number;
  readonly timeMs?: number;
  readonly detections?: unknown[];
}

/** A browser's end of `/live`. */
export class Watcher {
  readonly socket: WebSocket;
  readonly texts: LiveText[] = [];
  /** The init segment, then fragments. */
  readonly binary: Buffer[] = [];
  closed: number | undefined;
  #wake: (() => void)[] = [];

  constructor(url: string) {
    this.socket = new WebSocket(url, { perMessageDeflate: false });
    this.socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.binary.push(data);
      else this.texts.push(JSON.parse(data.toString()) as LiveText);
      this.#tell();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', (code) => {
      this.closed = code;
      this.#tell();
    });
  }

  async until(isIt: () => boolean): Promise<void> {
    while (!isIt()) {
      if (this.closed !== undefined && !isIt()) throw new Error(`closed with ${this.closed}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.socket.once('close', resolve));
    this.socket.close();
    await gone;
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

interface Film {
  readonly parameterSets: readonly Uint8Array[];
  readonly frames: readonly { readonly key: boolean; readonly nals: readonly Uint8Array[] }[];
}

/** A camera of a bench that speaks RTSP. */
export interface BenchCamera {
  readonly server: RtspServer;
  readonly url: string;
  leave(): void;
  comeBack(): void;
  /** Shows another clip in the middle of its stream. */
  turnTo(clip: string): Promise<unknown>;
}

/** An engine with cameras that play clips, and the live view of them. */
export class LiveBench {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'vantage-live-'));
  ffmpeg!: Ffmpeg;
  engine!: Engine;
  live!: Live;
  #server!: HealthServer;

  async open(): Promise<void> {
    this.ffmpeg = await resolveFfmpeg();
    this.engine = new Engine({
      ffmpeg: this.ffmpeg,
      backend: new WorkerPool(),
      resolveModel: () => Promise.reject(new Error('no models here')),
      recording: { folder: this.folder, preRollSeconds: 1, clipSeconds: 30, autoStopSeconds: 0 },
      logger: silentLogger,
    });
    const routes = new HttpRoutes();
    const rtsp = { host: '127.0.0.1', port: 0 };
    this.live = new Live({ engine: this.engine, ffmpeg: this.ffmpeg, logger: silentLogger, routes, rtsp });
    await this.live.start();
    this.#server = await startHealthServer({ port: 0, metrics: new Metrics(), health: new Health(), routes });
  }

  async close(): Promise<void> {
    await this.live.stop();
    await this.engine.stop();
    await this.#server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A clip whose frames tell their number: eight bars, black or white, from the left; the lowest bit first. */
  clip(name: string, ...codec: string[]): string {
    const file = path.join(this.folder, name);
    const bits = `geq=lum='255*mod(floor(N/pow(2,X)),2)':cb=128:cr=128,scale=${WIDTH}:${HEIGHT}:flags=neighbor`;
    const input = ['-f', 'lavfi', '-i', `color=black:size=8x2:rate=25,format=yuv444p,${bits}`];
    const frames = ['-frames:v', `${FRAMES}`, '-pix_fmt', 'yuv420p', ...codec, '-y', file];
    execFileSync(this.ffmpeg.path, ['-v', 'error', ...input, ...frames]);
    return pathToFileURL(file).href;
  }

  graph(id: string, cameras: Readonly<Record<string, string>>, more: { readonly overlay?: true } = {}): SkillGraph {
    const sources = Object.entries(cameras).map(([sensor, url]): SourceNode => ({
      ...{ kind: 'source', id: `source/${sensor}`, sensor, url, pace: 'realtime', loop: true },
      regions: [
        {
          ...{ label: 'door', color: '#ff0000' },
          coordinates: [
            [0.3, 0.55],
            [0.7, 0.55],
            [0.7, 0.9],
            [0.3, 0.9],
          ],
        },
      ],
    }));
    const recorder: GraphNode = {
      kind: 'recorder',
      id: 'recorder',
      prefix: id,
      ...(more.overlay ? { overlay: true } : {}),
    };
    return { id, nodes: [...sources, recorder], edges: [] };
  }

  http(where: string): string {
    return `http://127.0.0.1:${this.#server.port}${where}`;
  }

  watch(where: string): Watcher {
    return new Watcher(`ws://127.0.0.1:${this.#server.port}/live/${where}`);
  }

  rtsp(where: string): string {
    return `rtsp://127.0.0.1:${this.live.rtsp!.port}/${where}`;
  }

  /** A camera that speaks RTSP and plays a clip over and over, a frame every 40 ms. */
  async camera(clip: string): Promise<BenchCamera> {
    let film = await this.#film(clip);
    const source: RtspSource = {
      description: { name: clip, codec: 'h264', fps: 25, parameterSets: film.parameterSets },
      open: (receiver) => {
        let timer: NodeJS.Timeout | undefined;
        let next = 0;
        return {
          nextPtsUs: 0,
          start: () => {
            timer = setInterval(() => {
              const { parameterSets, frames } = film;
              const { key, nals } = frames[next % frames.length]!;
              receiver.send({ ptsUs: 40_000 * next++, key, nals: key ? [...parameterSets, ...nals] : nals });
            }, 40);
          },
          pause: () => clearInterval(timer),
        };
      },
    };
    let isAway = false;
    const find = (): RtspSource | undefined => (isAway ? undefined : source);
    const server = new RtspServer({ find, logger: silentLogger, host: '127.0.0.1', port: 0 });
    await server.start();
    return {
      server,
      url: `rtsp://127.0.0.1:${server.port}/camera`,
      leave: () => {
        isAway = true;
        server.disconnectAll();
      },
      comeBack: () => (isAway = false),
      turnTo: async (other) => (film = await this.#film(other)),
    };
  }

  async #film(clip: string): Promise<Film> {
    const { codecData, frames } = await readEncodedFile(path.join(this.folder, clip), this.ffmpeg, 1 << 26);
    const { lengthSize, parameterSets } = readCodecConfiguration('h264', codecData);
    return { parameterSets, frames: frames.map(({ key, data }) => ({ key, nals: splitFrame(data, lengthSize) })) };
  }

  /** What an RTSP player shows: the first frames as RGB, and their times in seconds. */
  async play(url: string, frames: number, ...before: string[]): Promise<{ pictures: Buffer[]; seconds: number[] }> {
    const input = ['-rtsp_transport', 'tcp', ...before, '-i', url, '-map', '0:v', '-fps_mode', 'passthrough'];
    const output = ['-copyts', '-frames:v', `${frames}`, '-vf', 'showinfo', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'];
    const args = ['-hide_banner', '-nostats', '-v', 'info', ...input, ...output];
    const options = { encoding: 'buffer' as const, maxBuffer: 1 << 28, timeout: 20_000 };
    const { stdout, stderr } = await run(this.ffmpeg.path, args, options);
    const size = 3 * WIDTH * HEIGHT;
    const times = [...stderr.toString().matchAll(/ pts_time:([\d.]+)/g)].map(([, time]) => Number(time));
    return { pictures: slices(stdout, size), seconds: times };
  }

  /** The pictures of an MP4 in memory. */
  decode(bytes: Buffer): { pictures: Buffer[]; us: number[] } {
    const args = ['-hide_banner', '-nostats', '-v', 'info', '-copyts', '-i', 'pipe:0', '-fps_mode', 'passthrough'];
    const output = ['-vf', 'showinfo', '-pix_fmt', 'rgb24', '-f', 'rawvideo', `file:${this.folder}/decoded.rgb`, '-y'];
    const log = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', this.ffmpeg.path, ...args, ...output], { input: bytes });
    const raw = execFileSync('cat', [`${this.folder}/decoded.rgb`], { maxBuffer: 1 << 28 });
    const us = [...log.toString().matchAll(/ pts: *(\d+)/g)].map(([, time]) => Number(time));
    return { pictures: slices(raw, 3 * WIDTH * HEIGHT), us };
  }
}

/** Which frame of the clip a picture is, read from its bars in the upper half. */
export function numberOf(picture: Buffer): number {
  let number = 0;
  for (let bar = 0; bar < 8; bar += 1) {
    const x = Math.round((bar + 0.5) * (WIDTH / 8));
    if ((picture[3 * (20 * WIDTH + x)] ?? 0) > 127) number += 2 ** bar;
  }
  return number;
}

/** Whether a pixel is green. */
export function isGreen(picture: Buffer, x: number, y: number): boolean {
  const [red = 0, green = 0, blue = 0] = picture.subarray(3 * (y * WIDTH + x));
  return green > 150 && red < 100 && blue < 100;
}

/** Whether a pixel is red. */
export function isRed(picture: Buffer, x: number, y: number): boolean {
  const [red = 0, green = 0, blue = 0] = picture.subarray(3 * (y * WIDTH + x));
  return red > 150 && green < 100 && blue < 100;
}

function slices(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}
