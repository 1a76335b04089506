import type { Server } from '@grpc/grpc-js';
import type { Http2Server, ServerHttp2Session } from 'node:http2';

/** Bytes under way before the peer waits for an acknowledgement. */
export const WINDOW_BYTES = 16 * 1024 * 1024;

/**
 * Lets pictures come in at the speed of the connection. HTTP/2's window is 64 KiB unless a server says otherwise, and
 * grpc-js (1.14) has an option for it on the client's side only: `grpc-node.flow_control_window`. Measured on loopback: 2.6
 * times the throughput at 2.7 MB a message and half of the processor time (docs/performance.md, P5).
 *
 * The HTTP/2 servers are a private field of grpc-js' Server. Reading it touches this one server; wrapping
 * `http2.createServer` would touch every one of the process. Where the field has another form one day, nothing breaks but the
 * speed, and a test.
 *
 * @param server bound already, and nobody has connected yet
 * @returns how many HTTP/2 servers were set
 */
export function raiseReceiveWindow(server: Server): number {
  const { http2Servers } = server as unknown as { readonly http2Servers?: unknown };
  if (!(http2Servers instanceof Map)) return 0;
  for (const http2 of http2Servers.keys() as Iterable<Http2Server>) {
    http2.updateSettings({ initialWindowSize: WINDOW_BYTES, maxFrameSize: 1024 * 1024 });
    http2.on('session', (session: ServerHttp2Session) => {
      if (!session.destroyed) session.setLocalWindowSize(WINDOW_BYTES);
    });
  }
  return http2Servers.size;
}
