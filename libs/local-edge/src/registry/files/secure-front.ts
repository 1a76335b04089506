import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Logger } from '@vantage/observability';
import type { Certificates } from '../../state/certificates.ts';

/**
 * An https address on loopback for a storage account that speaks plain http, as a local Azurite does: IoT Hub answers
 * uploads with a host name and no scheme, and devices take https. Bytes are handed on as they come.
 */
export class SecureFront {
  readonly #server: Server;
  readonly #sockets = new Set<{ destroy(): void }>();

  constructor(certificates: Certificates, target: { readonly host: string; readonly port: number }, logger: Logger) {
    this.#server = createServer({ key: certificates.key, cert: certificates.cert }, (outer) => {
      this.#join(outer, target);
    });
    this.#server.on('tlsClientError', (error) => {
      logger.debug('a TLS handshake with the storage front failed', { error: error.message });
    });
  }

  /** Listens on a free port of loopback, and yields it. */
  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(outer: TLSSocket, target: { readonly host: string; readonly port: number }): void {
    const inner = connect({ ...target, allowHalfOpen: true });
    outer.pipe(inner).pipe(outer);
    for (const [socket, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
