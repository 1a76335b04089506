import { readFile } from 'node:fs/promises';
import { ChannelCredentials, Client, Metadata, status as grpcStatus, type ServiceError } from '@grpc/grpc-js';
import { customNode, messageOf } from '@vantage/contracts';
import { parseEndpoint, type Endpoint } from '@vantage/custom-node';

const HANDSHAKE = '/custom_node.CustomNodeHandler/Handshake';
const PROCESS = '/custom_node.CustomNodeHandler/Process';
/** Of answers: four 4K pictures. A node that sends more is refused rather than kept in memory. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

/** How to reach a node. */
export interface Access {
  readonly endpoint: Endpoint;
  readonly deadlineMs: number;
  /** Sent as `authorization: Bearer <token>`. */
  readonly token?: string;
  /** PEM file of the authority that signed the node's certificate; TLS also without it where the scheme says so. */
  readonly ca?: string;
}

/** What the options of every command about a running node say. */
export function accessOf(
  endpoint: string,
  { deadline, token, ca }: { readonly deadline: number; readonly token?: string; readonly ca?: string },
): Access {
  return {
    endpoint: parseEndpoint(endpoint),
    deadlineMs: deadline,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
  };
}

/** How a call ended. `code` is gRPC's name, such as `UNAVAILABLE`. */
export type Reply<T> =
  | { readonly ok: true; readonly message: T; readonly ms: number }
  | { readonly ok: false; readonly code: string; readonly details: string; readonly ms: number };

/** Credentials as the options say. */
export async function credentialsOf({ endpoint, ca }: Access): Promise<ChannelCredentials> {
  if (ca === undefined && !endpoint.tls) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(ca === undefined ? null : await readFile(ca));
}

/** One connection, below the level of any client: it sends the bytes it is given and keeps no state but the sequence. */
export class Peer {
  readonly #client: Client;
  readonly #access: Access;
  #sequence = 0n;

  constructor(access: Access, credentials: ChannelCredentials) {
    this.#access = access;
    this.#client = new Client(access.endpoint.target, credentials, {
      'grpc.max_receive_message_length': MAX_ANSWER_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
      'grpc-node.flow_control_window': 16 * 1024 * 1024,
    });
  }

  /** The number the next call carries: 1 for the handshake, one more after each that succeeded. */
  get nextSequence(): bigint {
    return this.#sequence + 1n;
  }

  async handshake(request: Partial<customNode.HandshakeRequest> = {}): Promise<Reply<customNode.HandshakeResponse>> {
    const message = customNode.HandshakeRequest.fromPartial({ seq: 1n, ...request });
    const reply = await this.call(HANDSHAKE, customNode.HandshakeRequest.encode(message).finish(), decodeHandshake);
    if (reply.ok) this.#sequence = message.seq;
    return reply;
  }

  /** Sends a frame with the next number. */
  async send(frame: customNode.Frame, deadlineMs?: number): Promise<Reply<customNode.ProcessResponse>> {
    const seq = this.nextSequence;
    const bytes = customNode.ProcessRequest.encode({ seq, frame }).finish();
    const reply = await this.process(bytes, deadlineMs);
    if (reply.ok) this.#sequence = seq;
    return reply;
  }

  /** Sends a request as it stands. */
  process(request: Uint8Array, deadlineMs?: number): Promise<Reply<customNode.ProcessResponse>> {
    return this.call(PROCESS, request, decodeProcess, deadlineMs);
  }

  /** Any unary method. */
  call<T>(
    path: string,
    request: Uint8Array,
    decode: (bytes: Buffer) => T,
    deadlineMs = this.#access.deadlineMs,
  ): Promise<Reply<T>> {
    const start = performance.now();
    const metadata = this.#metadata();
    return new Promise((resolve) => {
      const answered = (error: ServiceError | null, answer?: Buffer): void => {
        const ms = performance.now() - start;
        if (error) {
          resolve({ ok: false, code: grpcStatus[error.code] ?? String(error.code), details: error.details, ms });
          return;
        }
        try {
          resolve({ ok: true, message: decode(answer ?? Buffer.alloc(0)), ms });
        } catch (reason) {
          resolve({ ok: false, code: 'UNREADABLE', details: `the answer cannot be read: ${messageOf(reason)}`, ms });
        }
      };
      this.#client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        (bytes: Buffer) => bytes,
        request,
        metadata,
        { deadline: Date.now() + deadlineMs },
        answered,
      );
    });
  }

  /** The first message of a stream that is asked with one message. */
  firstOfStream(path: string, request: Uint8Array): Promise<Reply<Buffer>> {
    const start = performance.now();
    const stream = this.#client.makeBidiStreamRequest(
      path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
      this.#metadata(),
      { deadline: Date.now() + this.#access.deadlineMs },
    );
    return new Promise((resolve) => {
      stream.once('data', (message: Buffer) => {
        resolve({ ok: true, message, ms: performance.now() - start });
        stream.cancel();
      });
      stream.on('error', (error: ServiceError) => {
        const code = grpcStatus[error.code] ?? String(error.code);
        resolve({ ok: false, code, details: error.details, ms: performance.now() - start });
      });
      stream.on('end', () => {
        resolve({
          ok: false,
          code: 'EMPTY',
          details: 'the stream ended without a message',
          ms: performance.now() - start,
        });
      });
      stream.write(request);
      stream.end();
    });
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    if (this.#access.token !== undefined) metadata.set('authorization', `Bearer ${this.#access.token}`);
    return metadata;
  }

  close(): void {
    this.#client.close();
  }
}

const decodeHandshake = (bytes: Buffer): customNode.HandshakeResponse => customNode.HandshakeResponse.decode(bytes);
const decodeProcess = (bytes: Buffer): customNode.ProcessResponse => customNode.ProcessResponse.decode(bytes);
