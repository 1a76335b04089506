import { Client, credentials, status, type ServiceError } from '@grpc/grpc-js';
import {
  ModelInferRequest,
  ModelInferResponse,
  ModelMetadataRequest,
  ModelMetadataResponse,
  ServerMetadataRequest,
  ServerMetadataResponse,
  type MessageFns,
} from '../../generated/open_inference.ts';

const SERVICE = '/inference.GRPCInferenceService';
const MAX_BYTES = 512 * 1024 * 1024;

const OPTIONS = {
  'grpc.max_send_message_length': MAX_BYTES,
  'grpc.max_receive_message_length': MAX_BYTES,
  // A camera does not want to wait for a server that has been back for a minute.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5000,
  // Answers larger than 64 KiB wait for window updates otherwise: feasible throughput doubles (measured).
  'grpc-node.flow_control_window': 8 * 1024 * 1024,
};

/** Speaks the Open Inference Protocol v2 over gRPC with one server. */
export class OpenInferenceClient {
  readonly #address: string;
  readonly #secure: boolean;
  #client: Client;

  constructor(address: string, secure: boolean) {
    this.#address = address;
    this.#secure = secure;
    this.#client = this.#connect();
  }

  serverMetadata(deadlineMs: number): Promise<ServerMetadataResponse> {
    return this.#call('ServerMetadata', ServerMetadataRequest, ServerMetadataResponse, {}, deadlineMs);
  }

  modelMetadata(request: ModelMetadataRequest, deadlineMs: number): Promise<ModelMetadataResponse> {
    return this.#call('ModelMetadata', ModelMetadataRequest, ModelMetadataResponse, request, deadlineMs);
  }

  modelInfer(request: ModelInferRequest, deadlineMs: number): Promise<ModelInferResponse> {
    return this.#call('ModelInfer', ModelInferRequest, ModelInferResponse, request, deadlineMs);
  }

  /** Resolves when the server accepts connections. @throws Error when it does not within the deadline */
  waitForReady(deadlineMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + deadlineMs, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Leaves a connection that swallows what is sent: a host that lost its power says nothing. */
  reconnect(): void {
    this.#client.close();
    this.#client = this.#connect();
  }

  close(): void {
    this.#client.close();
  }

  #connect(): Client {
    return new Client(
      this.#address,
      this.#secure ? credentials.createSsl() : credentials.createInsecure(),
      // A new client must not take over the connection of the one before.
      { ...OPTIONS, 'grpc.use_local_subchannel_pool': 1 },
    );
  }

  #call<Request, Response>(
    method: string,
    requests: MessageFns<Request>,
    responses: MessageFns<Response>,
    request: Request,
    deadlineMs: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<Request, Response>(
        `${SERVICE}/${method}`,
        (message) => asBuffer(requests.encode(message).finish()),
        (bytes) => responses.decode(bytes),
        request,
        { deadline: Date.now() + deadlineMs },
        (error, response) => {
          if (error !== null) reject(error);
          else if (response === undefined) reject(new Error('the server sent an empty answer'));
          else resolve(response);
        },
      );
    });
  }
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Status of a call that failed, and what the server said. */
export function failureOf(error: unknown): { readonly code: status | undefined; readonly reason: string } {
  const { code, details, message } = error as Partial<ServiceError>;
  const name = code === undefined ? '' : (status[code] ?? '');
  const said = details ?? message ?? String(error);
  return { code, reason: said.includes(name) ? said : `${said} (${name})` };
}
