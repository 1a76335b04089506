import { customNode } from '@vantage/contracts';
import type { ImageEncoding } from '@vantage/custom-node';
import { Peer, type Access, type Reply } from '../conformance/peer.ts';
import type { ChannelCredentials } from '@grpc/grpc-js';

export type Call = 'handshake' | 'process';

/** Whoever answers the calls that are recorded. Messages are bytes: nothing of them is changed. */
export interface Upstream {
  /** @param connection who asks; each has a connection of its own */
  call(connection: number, call: Call, request: Buffer): Promise<Reply<Buffer>>;
  close(): void;
}

const METHODS: Record<Call, string> = {
  handshake: '/custom_node.CustomNodeHandler/Handshake',
  process: '/custom_node.CustomNodeHandler/Process',
};

/** A pipeline that reconnects again and again leaves its old connections behind. */
const MAX_CONNECTIONS = 256;

/** The node at that address. */
export function nodeUpstream(access: Access, credentials: ChannelCredentials): Upstream {
  const peers = new Map<number, Peer>();
  return {
    call: (connection, call, request) => {
      let peer = peers.get(connection);
      if (!peer) {
        peers.set(connection, (peer = new Peer(access, credentials)));
        const [[oldest, idle] = []] = peers;
        if (peers.size > MAX_CONNECTIONS && oldest !== undefined) {
          peers.delete(oldest);
          idle?.close();
        }
      }
      return peer.call(METHODS[call], request, (bytes) => bytes);
    },
    close: () => {
      for (const peer of peers.values()) peer.close();
    },
  };
}

/** Nobody: every frame passes untouched. For capturing what a pipeline sends. */
export function emptyUpstream(image: ImageEncoding | 'none'): Upstream {
  const imageType = image === 'none' ? 0 : (['numpy', 'bmp', 'jpeg'] as const).indexOf(image);
  return {
    call: (_connection, call, request) => {
      const message =
        call === 'handshake'
          ? customNode.HandshakeResponse.encode({
              ack: customNode.HandshakeRequest.decode(request).seq,
              imageType: imageType as customNode.ImageType,
              processRequestType: image === 'none' ? 1 : 0,
              processResponseType: 3,
            }).finish()
          : customNode.ProcessResponse.encode({
              ack: customNode.ProcessRequest.decode(request).seq,
              image: undefined,
              insightsMeta: undefined,
            }).finish();
      return Promise.resolve({ ok: true, message: Buffer.from(message), ms: 0 });
    },
    close: () => undefined,
  };
}
