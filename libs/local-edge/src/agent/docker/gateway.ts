import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { codeOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';

/** The name by which containers know this machine's edge hub; the server certificate carries it. */
export const GATEWAY_NAME = 'vantage-edgehub';

/** The ports of the runtime's servers, and where they listen. */
export interface HubPorts {
  readonly host: string;
  readonly mqtt: number;
  readonly api: number;
  /** Of the https address before the storage account, where there is one; containers find it under the same number. */
  readonly storage?: number | undefined;
}

/**
 * Lets the containers of one network reach the hub, and nobody else: it listens on the network's own gateway address
 * and hands bytes on to the servers on loopback. There the ports are those of a real device, 8883 and 443, whatever the
 * servers use themselves, so the SDKs find both (contract iot-edge-runtime E.2).
 */
export class Gateway {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /**
   * @param address of the network's gateway, as it is on this machine
   * @returns the value of IOTEDGE_GATEWAYHOSTNAME
   */
  async open(address: string, ports: HubPorts, logger: Logger): Promise<string> {
    const mqtt = await this.#relay(address, 8883, ports.host, ports.mqtt).catch((error: unknown) => {
      if (codeOf(error) !== 'EADDRINUSE') throw error;
      return this.#relay(address, 0, ports.host, ports.mqtt);
    });
    try {
      await this.#relay(address, 443, ports.host, ports.api);
    } catch (error) {
      if (codeOf(error) !== 'EACCES' && codeOf(error) !== 'EADDRINUSE') throw error;
      logger.warn('port 443 cannot be had for containers: their modules cannot call methods of other modules', {
        address,
        code: codeOf(error),
      });
    }
    if (ports.storage !== undefined) await this.#relay(address, ports.storage, '127.0.0.1', ports.storage);
    return mqtt === 8883 ? GATEWAY_NAME : `${GATEWAY_NAME}:${mqtt}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(
      this.#servers.splice(0).map(async (server) => {
        const closed = once(server, 'close');
        server.close();
        await closed;
      }),
    );
  }

  async #relay(address: string, port: number, host: string, target: number): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (inner) => {
      this.#join(inner, connect({ port: target, host, allowHalfOpen: true }));
    });
    server.listen(port, address);
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  #join(inner: Socket, outer: Socket): void {
    inner.pipe(outer).pipe(inner);
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}
