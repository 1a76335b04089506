import type { Socket } from 'node:net';
import { VantageError, messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { openDatagramPair } from './datagram-pair.ts';
import { DatagramSink, InterleavedSink } from './packet-sinks.ts';
import {
  RtspParser,
  chooseTransport,
  formatResponse,
  type RtspRequest,
  type RtspStatus,
  type Transport,
} from './rtsp-message.ts';
import { RtspSession } from './rtsp-session.ts';
import type { RtspSource } from './rtsp-source.ts';
import { TRACK, describeStream } from './sdp.ts';

const METHODS = 'OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER';
/** A client that takes nothing for this long is let go. */
const STUCK_CLIENT_MS = 15_000;
const MAX_WAITING_REQUESTS = 32;
const TRACK_AT_END = new RegExp(`(?:/${TRACK})?/*$`);

/** What connections share. */
export interface ConnectionContext {
  /** As {@link RtspServerOptions.find}. */
  find(path: string): RtspSource | undefined | Promise<RtspSource | undefined>;
  readonly logger: Logger;
  datagrams(): ReturnType<typeof openDatagramPair>;
}

interface Answer {
  readonly status: RtspStatus;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Runs after the answer was written. */
  readonly afterwards?: () => void;
}

/** One RTSP client: a TCP connection with at most one session. */
export class RtspConnection {
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #parser = new RtspParser();
  #session: RtspSession | undefined;
  #queue: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    socket.setNoDelay(true);
    socket.setTimeout(STUCK_CLIENT_MS, () => {
      // Idle while writing means that nothing is taken; idle while not playing is a client's right.
      if (socket.writableLength > 0) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#end());
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  /** The session that sends now. */
  get playing(): RtspSession | undefined {
    return this.#session?.playing === true ? this.#session : undefined;
  }

  close(): void {
    this.#end();
    this.#socket.destroy();
  }

  #end(): void {
    this.#session?.stop();
    this.#session = undefined;
  }

  #read(chunk: Buffer): void {
    let requests: RtspRequest[];
    try {
      requests = this.#parser.push(chunk);
    } catch {
      this.#socket.end(formatResponse(400, undefined, {}));
      return;
    }
    for (const request of requests) {
      if (++this.#waiting > MAX_WAITING_REQUESTS) {
        this.#socket.destroy();
        return;
      }
      this.#queue = this.#queue.then(() => this.#serve(request));
    }
  }

  async #serve(request: RtspRequest): Promise<void> {
    this.#waiting--;
    let answer: Answer;
    try {
      answer = await this.#answer(request);
    } catch (error) {
      this.#context.logger.warn(`cannot serve a request: ${messageOf(error)}`, { method: request.method });
      answer = { status: statusOf(error) };
    }
    if (!this.#socket.writable) return;
    this.#socket.write(
      formatResponse(answer.status, request.headers.get('cseq'), answer.headers ?? {}, answer.body ?? ''),
    );
    answer.afterwards?.();
  }

  async #answer(request: RtspRequest): Promise<Answer> {
    switch (request.method) {
      case 'OPTIONS':
        return { status: 200, headers: { Public: METHODS } };
      case 'DESCRIBE':
        return this.#describe(request);
      case 'SETUP':
        return this.#setup(request);
      case 'PLAY':
        return this.#withSession(request, (session) => this.#play(session, request));
      case 'PAUSE':
        return this.#withSession(request, (session) => {
          session.pause();
          return { status: 200, headers: { Session: session.id } };
        });
      case 'TEARDOWN':
        return this.#withSession(request, (session) => {
          this.#end();
          return { status: 200, headers: { Session: session.id } };
        });
      case 'GET_PARAMETER':
      case 'SET_PARAMETER':
        // Without a session it is a ping (RFC 2326 10.8).
        if (request.headers.get('session') === undefined) return { status: 200 };
        return this.#withSession(request, (session) => ({ status: 200, headers: { Session: session.id } }));
      default:
        return { status: 501, headers: { Public: METHODS } };
    }
  }

  #withSession(request: RtspRequest, use: (session: RtspSession) => Answer): Answer {
    const id = request.headers.get('session')?.split(';')[0]?.trim();
    if (this.#session === undefined || id !== this.#session.id) return { status: 454 };
    return use(this.#session);
  }

  async #describe(request: RtspRequest): Promise<Answer> {
    const source = await this.#find(request.url);
    if (source === undefined) return { status: 404 };
    const base = request.url.replace(/\/*$/, '/');
    const headers = { 'Content-Type': 'application/sdp', 'Content-Base': base, 'Cache-Control': 'no-cache' };
    return { status: 200, headers, body: describeStream(source.description, localAddress(this.#socket)) };
  }

  async #setup(request: RtspRequest): Promise<Answer> {
    const source = await this.#find(request.url);
    if (source === undefined) return { status: 404 };
    const transport = chooseTransport(request.headers.get('transport') ?? '');
    if (transport === undefined) return { status: 461 };
    if (this.#session?.playing === true) return { status: 455 };
    const { sink, header } = await this.#open(transport);
    const session = new RtspSession(source, sink, () => this.#socket.end());
    this.#session = session;
    const ssrc = session.stream.ssrc.toString(16).padStart(8, '0');
    return { status: 200, headers: { Session: `${session.id};timeout=60`, Transport: `${header};ssrc=${ssrc}` } };
  }

  async #open(transport: Transport): Promise<{ sink: InterleavedSink | DatagramSink; header: string }> {
    if (transport.kind === 'tcp') {
      const { rtpChannel, rtcpChannel } = transport;
      const header = `RTP/AVP/TCP;unicast;interleaved=${rtpChannel}-${rtcpChannel}`;
      return { sink: new InterleavedSink(this.#socket, rtpChannel, rtcpChannel), header };
    }
    const { rtpPort, rtcpPort } = transport;
    const sockets = await this.#context.datagrams();
    const server = `${sockets.rtp.address().port}-${sockets.rtcp.address().port}`;
    // Only ever to the address that asked: a destination= of someone else would be an attack on them.
    const sink = new DatagramSink(sockets, this.#socket.remoteAddress ?? '127.0.0.1', rtpPort, rtcpPort);
    return { sink, header: `RTP/AVP;unicast;client_port=${rtpPort}-${rtcpPort};server_port=${server}` };
  }

  #play(session: RtspSession, request: RtspRequest): Answer {
    const track = `${request.url.replace(/\/*$/, '')}/${TRACK}`;
    const { nextTimestamp } = session;
    const time = nextTimestamp === undefined ? '' : `;rtptime=${nextTimestamp}`;
    const info = `url=${track};seq=${session.stream.sequence}${time}`;
    return {
      status: 200,
      headers: { Session: session.id, Range: 'npt=now-', 'RTP-Info': info },
      afterwards: () => session.play(),
    };
  }

  async #find(url: string): Promise<RtspSource | undefined> {
    const path = /^rtsps?:\/\/[^/]*\/([^?#]*)/i.exec(url)?.[1]?.replace(TRACK_AT_END, '');
    if (path === undefined || path === '') return undefined;
    let decoded: string;
    try {
      decoded = decodeURIComponent(path);
    } catch {
      return undefined;
    }
    return this.#context.find(decoded);
  }
}

function statusOf(error: unknown): RtspStatus {
  if (!VantageError.is(error)) return 500;
  return error.code === 'RTSP_SOURCE_UNAVAILABLE' ? 503 : 415;
}

function localAddress(socket: Socket): string {
  return (socket.localAddress ?? '127.0.0.1').replace(/^::ffff:/, '');
}
