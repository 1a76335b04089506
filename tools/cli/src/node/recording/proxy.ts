import {
  Metadata,
  Server,
  ServerCredentials,
  status as grpcStatus,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { VantageError, messageOf } from '@vantage/contracts';
import type { RecordingWriter } from './format.ts';
import type { Call, Upstream } from './upstream.ts';

const MAX_MESSAGE = 128 * 1024 * 1024;

export interface ProxyOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly upstream: Upstream;
  readonly writer: RecordingWriter;
  readonly maxFrames: number;
  readonly onFrame?: (frames: number) => void;
  /** The recording has all it may hold. Calls are still passed on. */
  readonly onFull: () => void;
}

/**
 * Stands between a pipeline and a node and records what passes. Metadata is not passed on: neither tokens, nor the offer
 * of shared memory, which would take the pixels past the recording.
 */
export class RecordingProxy {
  readonly #options: ProxyOptions;
  readonly #server = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE, 'grpc.max_send_message_length': -1 });
  readonly #connections = new Map<string, number>();
  readonly #start = performance.now();
  #frames = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#server.addService(
      { handshake: definition('Handshake'), process: definition('Process') },
      { handshake: this.#handler('handshake'), process: this.#handler('process') },
    );
  }

  get frames(): number {
    return this.#frames;
  }

  /** @throws VantageError NODE_PORT_TAKEN */
  start(): Promise<number> {
    const address = `${this.#options.host}:${this.#options.port}`;
    return new Promise((resolve, reject) => {
      this.#server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(new VantageError('NODE_PORT_TAKEN', `cannot listen on ${address}: ${messageOf(error)}`));
        else resolve(port);
      });
    });
  }

  /** Calls under way are finished. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => this.#server.forceShutdown(), 2000);
      this.#server.tryShutdown(() => {
        clearTimeout(cut);
        resolve();
      });
    });
  }

  #handler(call: Call) {
    return (request: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
      void this.#pass(call, request.request, request.getPeer(), done);
    };
  }

  async #pass(call: Call, request: Buffer, peer: string, done: sendUnaryData<Buffer>): Promise<void> {
    const { upstream, writer, maxFrames, onFrame, onFull } = this.#options;
    const connection = this.#connectionOf(peer);
    const atMs = round(performance.now() - this.#start);
    const reply = await upstream.call(connection, call, request);
    const counted = call === 'handshake' || this.#frames < maxFrames;
    if (counted && !writer.isFull) {
      if (call === 'process') this.#frames += 1;
      const error = reply.ok ? {} : { error: { code: reply.code, details: reply.details } };
      const header = { call, connection, atMs, tookMs: round(reply.ms), ...error };
      await writer.write(header, request, reply.ok ? reply.message : Buffer.alloc(0));
      if (call === 'process') onFrame?.(this.#frames);
    }
    if (reply.ok) done(null, reply.message);
    else done({ code: codeNumber(reply.code), details: reply.details, metadata: new Metadata() });
    if (writer.isFull || this.#frames >= maxFrames) onFull();
  }

  #connectionOf(peer: string): number {
    let connection = this.#connections.get(peer);
    if (connection === undefined) this.#connections.set(peer, (connection = this.#connections.size + 1));
    return connection;
  }
}

function definition(name: string) {
  return {
    path: `/custom_node.CustomNodeHandler/${name}`,
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Buffer) => bytes,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  } as const;
}

function codeNumber(name: string): number {
  const code: unknown = (grpcStatus as unknown as Record<string, unknown>)[name];
  return typeof code === 'number' ? code : grpcStatus.UNKNOWN;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
