import { once } from 'node:events';
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { customNode } from '@vantage/contracts';
import { HANDSHAKE_PATH, PROCESS_PATH } from '../../src/wire/service.ts';
import { closeLater } from './nodes.ts';

type Handshake = Partial<customNode.HandshakeResponse>;
type Process = Partial<customNode.ProcessResponse>;

/** What a server of somebody else's may do. Throw `{ code, details }` for a status; return a Buffer for any bytes at all. */
export interface RawBehaviour {
  handshake?: (request: customNode.HandshakeRequest) => Handshake | Buffer | Promise<Handshake>;
  process?: (request: customNode.ProcessRequest) => Process | Buffer | Promise<Process | Buffer>;
  readonly maxMessageBytes?: number;
  readonly port?: number;
}

export interface RawServer {
  readonly port: number;
  /** May be changed while it runs. */
  behaviour: RawBehaviour;
  readonly handshakes: customNode.HandshakeRequest[];
  readonly requests: customNode.ProcessRequest[];
  stop(): Promise<void>;
}

/** A plain server of grpc-js around the generated messages: nothing of ours but the path names. */
export async function serveRaw(behaviour: RawBehaviour): Promise<RawServer> {
  const server = new Server({ 'grpc.max_receive_message_length': behaviour.maxMessageBytes ?? 4_194_304 });
  const raw: RawServer = {
    port: 0,
    behaviour,
    handshakes: [],
    requests: [],
    stop: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
  const settle = (answer: sendUnaryData<Buffer>, work: () => Promise<Buffer>): void => {
    work().then(
      (bytes) => answer(null, bytes),
      (error: { code?: number; details?: string }) =>
        answer({ code: error.code ?? status.UNKNOWN, details: error.details ?? 'failed' }),
    );
  };
  const asIs = (bytes: Buffer): Buffer => bytes;
  const method = (path: string) => ({
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  });
  server.addService(
    { handshake: method(HANDSHAKE_PATH), process: method(PROCESS_PATH) },
    {
      handshake: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
        settle(answer, async () => {
          const request = customNode.HandshakeRequest.decode(call.request);
          raw.handshakes.push(request);
          const response = (await raw.behaviour.handshake?.(request)) ?? {};
          if (Buffer.isBuffer(response)) return response;
          const full = customNode.HandshakeResponse.create({ processResponseType: 1 });
          return Buffer.from(customNode.HandshakeResponse.encode({ ...full, ack: request.seq, ...response }).finish());
        }),
      process: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
        settle(answer, async () => {
          const request = customNode.ProcessRequest.decode(call.request);
          raw.requests.push(request);
          const response = (await raw.behaviour.process?.(request)) ?? {};
          if (Buffer.isBuffer(response)) return response;
          const full = customNode.ProcessResponse.create({});
          return Buffer.from(customNode.ProcessResponse.encode({ ...full, ack: request.seq, ...response }).finish());
        }),
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${behaviour.port ?? 0}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return closeLater(Object.assign(raw, { port }));
}

/** An event of a test: resolves when it has been told so often. */
export class Times {
  readonly #told = new EventTarget();
  #count = 0;

  tell(): void {
    this.#count += 1;
    this.#told.dispatchEvent(new Event('told'));
  }

  async reach(count: number): Promise<void> {
    while (this.#count < count) await once(this.#told, 'told');
  }
}
