import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '@vantage/contracts';
import type { Ffmpeg } from '@vantage/media';
import type { HttpHandler } from '@vantage/observability';
import { WebSocketServer } from 'ws';
import { FragmentStream } from './fragment-stream.ts';
import type { LiveCamera } from './live-camera.ts';
import type { LiveEntry, LiveHub } from './live-hub.ts';
import { isMosaic, placeInMosaic } from './painted/painted-parts.ts';
import type { PaintedSources } from './painted/painted-sources.ts';
import { PictureStream, type PictureSource } from './picture-stream.ts';
import { SocketClient } from './socket-client.ts';

const MAX_CLIENTS = 100;
/** Pictures that wait for one slow reader; the newest takes their place then. */
const MAX_WAITING_BYTES = 1 << 20;
const PICTURE_TIMEOUT_MS = 10_000;
/** Nobody has to say much to us. */
const MAX_MESSAGE_BYTES = 4096;
const BOUNDARY = 'picture';
/** Codecs that every browser plays. */
const BROWSERS_PLAY = new Set(['h264']);

export interface LiveApiOptions {
  readonly hub: LiveHub;
  readonly ffmpeg: Ffmpeg;
  readonly painted: PaintedSources;
  /** Where a camera, and its pipeline as a whole, is served by RTSP, for the list; undefined: nowhere. */
  readonly rtspUrls: (entry: LiveEntry, host: string) => { readonly rtsp?: string; readonly mosaic?: string };
}

/**
 * `/live`: what can be watched, and the pictures: fragmented MP4 with insights in a WebSocket, MJPEG, single JPEGs. Asks
 * nobody who he is: it listens where `/metrics` does, and the Player in front of it lets in whom it knows.
 */
export class LiveApi implements HttpHandler {
  readonly #options: LiveApiOptions;
  readonly #sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES });
  readonly #fragments = new Map<string, FragmentStream>();
  readonly #pictures = new Map<string, PictureStream>();
  readonly #responses = new Set<ServerResponse>();
  #isStopped = false;

  constructor(options: LiveApiOptions) {
    this.#options = options;
  }

  /** Who watches now, and how many ffmpegs decode for them. */
  get activity(): { readonly sockets: number; readonly pictures: number; readonly decoders: number } {
    const streams = [...this.#pictures.values()];
    return {
      sockets: this.#sockets.clients.size,
      pictures: this.#responses.size,
      decoders: streams.filter(({ isDecoding }) => isDecoding).length,
    };
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const { path, host } = addressOf(request);
    if (path.length === 1) {
      const body = JSON.stringify(this.#options.hub.list().map((entry) => this.#describe(entry, host)));
      response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(body);
      return;
    }
    const [, name, kind] = /^(.*)\.(mjpeg|jpg)$/i.exec(path.at(-1) ?? '') ?? [];
    const [pipeline = '', sensor, ...more] = name === undefined ? [] : [...path.slice(1, -1), name];
    const entry = more.length === 0 ? this.#options.hub.find(pipeline, sensor) : undefined;
    if (!entry || this.#isStopped) return refuse(response, 404, 'there is no such camera');
    if (this.activity.pictures >= MAX_CLIENTS) return refuse(response, 503, 'too many watch');
    if (request.method === 'HEAD') {
      response.writeHead(200).end();
      return;
    }
    let pictures: PictureSource;
    try {
      pictures = this.#picturesOf(entry, sensor === undefined);
    } catch (error) {
      return refuse(response, 503, messageOf(error));
    }
    if (kind?.toLowerCase() === 'jpg') this.#sendOne(pictures, response);
    else this.#sendAll(pictures, response);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path, query } = addressOf(request);
    const [, pipeline = '', sensor = ''] = path;
    const entry = path.length === 3 ? this.#options.hub.find(pipeline, sensor) : undefined;
    const status = !entry ? '404 Not Found' : '503 Service Unavailable';
    if (!entry || this.#isStopped || this.#sockets.clients.size >= MAX_CLIENTS) {
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      const stream = this.#fragmentsOf(entry);
      const one = new SocketClient({ socket: client, video: query.get('video') !== '0' });
      client.on('close', stream.add(one));
    });
  }

  /** Lets everybody go. */
  stop(): void {
    this.#isStopped = true;
    for (const client of this.#sockets.clients) client.close(1001, 'the module stops');
    for (const client of this.#sockets.clients) client.terminate();
    for (const response of this.#responses) response.destroy();
    this.#sockets.close();
  }

  #describe(entry: LiveEntry, host: string): Record<string, unknown> {
    const { graph, source, status } = entry;
    const { codec, width, height, state = 'connecting' } = status ?? {};
    return {
      ...{ pipeline: graph.id, sensor: source.sensor, state },
      ...{ codec, width, height, mse: codec !== undefined && BROWSERS_PLAY.has(codec) },
      ...this.#options.rtspUrls(entry, host),
      tile: placeInMosaic(graph, source.sensor),
    };
  }

  #sendAll(pictures: PictureSource, response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}`,
      'cache-control': 'no-store',
    });
    const leave = pictures.add({
      onPicture: (jpeg) => {
        if (response.writableLength > MAX_WAITING_BYTES) return;
        response.write(`--${BOUNDARY}\r\ncontent-type: image/jpeg\r\ncontent-length: ${jpeg.length}\r\n\r\n`);
        response.write(jpeg);
        response.write('\r\n');
      },
      onEnd: () => response.end(),
    });
    this.#responses.add(response);
    response.on('close', () => {
      this.#responses.delete(response);
      leave();
    });
  }

  #sendOne(pictures: PictureSource, response: ServerResponse): void {
    const link: { leave?: () => void } = {};
    let isDone = false;
    const done = (answer: () => void): void => {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      this.#responses.delete(response);
      link.leave?.();
      answer();
    };
    const nothing = (): void => done(() => refuse(response, 503, 'the camera gives no picture now'));
    const timer = setTimeout(nothing, PICTURE_TIMEOUT_MS);
    this.#responses.add(response);
    response.on('close', () => done(() => undefined));
    link.leave = pictures.add({
      onPicture: (jpeg) =>
        done(() => {
          const head = { 'content-type': 'image/jpeg', 'content-length': jpeg.length, 'cache-control': 'no-store' };
          response.writeHead(200, head).end(jpeg);
        }),
      onEnd: nothing,
    });
    // It was there already.
    if (isDone) link.leave();
  }

  #fragmentsOf(entry: LiveEntry): FragmentStream {
    return streamOf(this.#fragments, entry, () => new FragmentStream(this.#camera(entry)));
  }

  /** @param isWhole of all cameras of its pipeline. @throws RTSP_SOURCE_UNAVAILABLE */
  #picturesOf(entry: LiveEntry, isWhole: boolean): PictureSource {
    if (isWhole && isMosaic(entry.graph)) return this.#options.painted.mosaicPictures(entry.graph.id);
    return streamOf(this.#pictures, entry, () => new PictureStream(this.#camera(entry), this.#options.ffmpeg));
  }

  #camera(entry: LiveEntry): LiveCamera {
    return this.#options.hub.camera(entry);
  }
}

/** The one that somebody watches, or a new one; those that nobody watches are forgotten. */
function streamOf<T extends { readonly clients: number }>(
  streams: Map<string, T>,
  { graph, source }: LiveEntry,
  make: () => T,
): T {
  for (const [key, stream] of streams) if (stream.clients === 0) streams.delete(key);
  const key = `${graph.id}\0${source.sensor}`;
  let stream = streams.get(key);
  if (!stream) {
    stream = make();
    streams.set(key, stream);
  }
  return stream;
}

function addressOf(request: IncomingMessage): { path: string[]; query: URLSearchParams; host: string } {
  const [path = '/', query = ''] = (request.url ?? '/').split('?');
  // Of `[::1]:9600` and `name:9600`, what is not the port.
  const host = /^(\[[^\]]*\]|[^:]*)/.exec(request.headers.host ?? '')?.[1] ?? '';
  const parts = path.split('/').filter((part) => part !== '');
  return { path: parts.map(decode), query: new URLSearchParams(query), host: host === '' ? '127.0.0.1' : host };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function refuse(response: ServerResponse, status: 404 | 503, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
