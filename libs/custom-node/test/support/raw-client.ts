import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { customNode } from '@vantage/contracts';
import { HANDSHAKE_PATH, PROCESS_PATH } from '../../src/wire/service.ts';
import { closeLater } from './nodes.ts';

/** A plain client of grpc-js around the generated messages, or any bytes at all. Rejects with grpc's error. */
export class RawClient {
  readonly client: Client;
  readonly metadata = new Metadata();

  constructor(port: number) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    closeLater({ stop: () => Promise.resolve(this.client.close()) });
  }

  async handshake(seq = 1n): Promise<customNode.HandshakeResponse> {
    const request = customNode.HandshakeRequest.create({ seq });
    const bytes = await this.call(HANDSHAKE_PATH, Buffer.from(customNode.HandshakeRequest.encode(request).finish()));
    return customNode.HandshakeResponse.decode(bytes);
  }

  async process(request: customNode.DeepPartial<customNode.ProcessRequest>): Promise<customNode.ProcessResponse> {
    const full = customNode.ProcessRequest.fromPartial(request);
    const bytes = await this.call(PROCESS_PATH, Buffer.from(customNode.ProcessRequest.encode(full).finish()));
    return customNode.ProcessResponse.decode(bytes);
  }

  async call(path: string, bytes: Buffer, deadlineMs = 5000): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, answer?: Buffer): void =>
        error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error);
      const asIs = (one: Buffer): Buffer => one;
      this.client.makeUnaryRequest(path, asIs, asIs, bytes, this.metadata, { deadline: Date.now() + deadlineMs }, done);
    });
  }
}
