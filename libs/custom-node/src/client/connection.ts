import {
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { customNode, messageOf } from '@vantage/contracts';
import type { Endpoint } from '../endpoint.ts';
import type { NodeFailure } from '../errors.ts';
import type { ClientPixelPath } from '../pixel-path.ts';
import type { NodeIds, NodeWants } from '../types.ts';
import { WireMessage } from '../wire/message.ts';
import { HANDSHAKE_PATH, METADATA, PROCESS_PATH, readHandshake, SERVER_MESSAGE_BYTES } from '../wire/service.ts';
import { callFailure, type CallFailure } from './call-failure.ts';

/** Bytes of an answer under way before the node waits for an acknowledgement; HTTP/2's own 64 KiB are slow for pictures. */
const WINDOW_BYTES = 16 * 1024 * 1024;

export interface ConnectionOptions {
  readonly endpoint: Endpoint;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer } | undefined;
  readonly token: string | undefined;
  /** Tells the server which calls belong together. */
  readonly session: string;
  readonly deadlineMs: number;
  readonly pixelPath: ClientPixelPath | undefined;
}

/** What both sides have agreed on. */
export interface Agreement {
  readonly wants: NodeWants;
  /** Bytes of the largest message that the server takes, where it says so. */
  readonly maxMessageBytes: number | undefined;
  readonly sharedMemory: boolean;
}

export interface CallAnswer {
  readonly bytes: Buffer;
  readonly metadata: Metadata;
}

/** One channel from its handshake to its end. A new handshake is a new connection. */
export class NodeConnection {
  readonly #options: ConnectionOptions;
  readonly #client: Client;
  readonly #calls = new Set<ClientUnaryCall>();
  readonly #lost = Promise.withResolvers<NodeFailure>();
  readonly #ended = Promise.withResolvers<void>();
  #retired = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { endpoint, tls } = options;
    const secure = tls !== undefined || endpoint.tls;
    const channel = secure
      ? credentials.createSsl(tls?.ca ?? null, tls?.key ?? null, tls?.cert ?? null)
      : credentials.createInsecure();
    this.#client = new Client(endpoint.target, channel, {
      'grpc.max_receive_message_length': SERVER_MESSAGE_BYTES,
      'grpc.max_send_message_length': -1,
      // Retries keep a copy of each message, and a frame that is late is of no use.
      'grpc.enable_retries': 0,
      // Otherwise clients of one process share connections, and their waiting times after a failure.
      'grpc.use_local_subchannel_pool': 1,
      // A proxy is for the way to the cloud; nodes are neighbours.
      'grpc.enable_http_proxy': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc-node.flow_control_window': WINDOW_BYTES,
    });
  }

  /** Settles with the reason when the connection is gone and a handshake is due. */
  get lost(): Promise<NodeFailure> {
    return this.#lost.promise;
  }

  /** Settles when the channel is closed. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  async handshake(seq: bigint, ids: NodeIds): Promise<Agreement | NodeFailure> {
    const { pixelPath } = this.#options;
    const request = customNode.HandshakeRequest.encode({
      seq,
      instanceId: ids.instance,
      skillId: ids.skill,
      deviceId: ids.device,
    }).finish();
    const metadata = this.metadata();
    pixelPath?.offer(metadata);
    const message = new WireMessage(request, new Uint8Array(0), new Uint8Array(0));
    const answer = await this.#call(HANDSHAKE_PATH, message, metadata, 'the handshake');
    if ('code' in answer) return answer;
    const agreement = agreementOf(answer, seq);
    if ('code' in agreement) return agreement;
    this.#watch();
    return { ...agreement, sharedMemory: pixelPath?.accept(answer.metadata) ?? false };
  }

  /** What goes with every call of this connection. */
  metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set(METADATA.session, this.#options.session);
    if (this.#options.token !== undefined) metadata.set('authorization', `Bearer ${this.#options.token}`);
    return metadata;
  }

  /** @param what for messages: `frame 7` */
  async process(message: WireMessage, metadata: Metadata, what: string): Promise<CallAnswer | CallFailure> {
    const answer = await this.#call(PROCESS_PATH, message, metadata, what);
    if ('code' in answer && answer.lost) this.giveUp(answer);
    return answer;
  }

  /** Says that a handshake is due. */
  giveUp(reason: NodeFailure): void {
    this.#lost.resolve({ code: reason.code, message: reason.message });
  }

  /** Ends once the calls under way have ended. */
  retire(): void {
    this.#retired = true;
    this.#endWhenIdle();
  }

  /** Ends the calls under way, too. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    this.retire();
  }

  #endWhenIdle(): void {
    if (!this.#retired || this.#calls.size > 0) return;
    this.#client.close();
    this.#ended.resolve();
  }

  /**
   * A server that comes back between two frames is a new one: grpc-js would connect to it in silence. So a handshake follows
   * as soon as the channel is not ready any more.
   */
  #watch(): void {
    const channel = this.#client.getChannel();
    channel.watchConnectivityState(connectivityState.READY, Infinity, () => {
      this.giveUp({ code: 'CUSTOM_NODE_UNREACHABLE', message: 'the connection to the node ended' });
    });
  }

  async #call(path: string, message: WireMessage, metadata: Metadata, what: string): Promise<CallAnswer | CallFailure> {
    const { deadlineMs } = this.#options;
    return new Promise((resolve) => {
      let first = new Metadata();
      const done = (error: ServiceError | null, bytes?: Buffer): void => {
        this.#calls.delete(call);
        this.#endWhenIdle();
        if (error !== null)
          resolve(callFailure(error, { what, sentBytes: message.length, deadlineMs, closed: this.#closed }));
        else resolve({ bytes: bytes ?? Buffer.alloc(0), metadata: first });
      };
      const call = this.#client.makeUnaryRequest<WireMessage, Buffer>(
        path,
        (wire) => wire.asBuffer(),
        (bytes) => bytes,
        message,
        metadata,
        { deadline: Date.now() + deadlineMs },
        done,
      );
      call.on('metadata', (received: Metadata) => (first = received));
      this.#calls.add(call);
    });
  }
}

function agreementOf(answer: CallAnswer, seq: bigint): Omit<Agreement, 'sharedMemory'> | NodeFailure {
  const invalid = (message: string): NodeFailure => ({ code: 'CUSTOM_NODE_HANDSHAKE_INVALID', message });
  let response: customNode.HandshakeResponse;
  try {
    response = customNode.HandshakeResponse.decode(answer.bytes);
  } catch (error) {
    return invalid(`the answer to the handshake cannot be read: ${messageOf(error)}`);
  }
  if (response.ack !== seq)
    return {
      code: 'CUSTOM_NODE_ACK_WRONG',
      message: `the handshake ${seq} was acknowledged as ${response.ack}; the node must give seq back`,
    };
  const wants = readHandshake(response);
  if (typeof wants === 'string') return invalid(`the node ${wants}`);
  const announced = Number(answer.metadata.get(METADATA.maxMessageBytes)[0] ?? NaN);
  return { wants, maxMessageBytes: Number.isSafeInteger(announced) && announced > 0 ? announced : undefined };
}
