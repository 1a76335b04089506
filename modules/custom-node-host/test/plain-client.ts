import { Client, credentials } from '@grpc/grpc-js';
import { customNode } from '@vantage/contracts';

/**
 * A client that knows nothing of us: it sends frames without a handshake and takes what gRPC does as it is. A stream that
 * a server refuses because it is about to go was not looked at by anybody; gRPC sends it again by itself.
 */
export function plainClient(port: number): {
  process(seq: bigint): Promise<customNode.ProcessResponse>;
  close(): void;
} {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  return {
    process: (seq) =>
      new Promise((resolve, reject) => {
        const request = customNode.ProcessRequest.encode(
          customNode.ProcessRequest.fromPartial({ seq, frame: { frameId: String(seq) } }),
        ).finish();
        client.makeUnaryRequest(
          '/custom_node.CustomNodeHandler/Process',
          (bytes: Uint8Array) => Buffer.from(bytes),
          (bytes: Buffer) => customNode.ProcessResponse.decode(bytes),
          request,
          { deadline: Date.now() + 10_000 },
          (error, answer) => {
            if (error === null && answer !== undefined) resolve(answer);
            else reject(error ?? new Error('no answer'));
          },
        );
      }),
    close: () => client.close(),
  };
}
