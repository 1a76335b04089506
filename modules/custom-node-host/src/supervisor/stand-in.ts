import { once } from 'node:events';
import net from 'node:net';
import { codeOf, messageOf } from '@vantage/contracts';
import { CustomNode, CustomNodeServer } from '@vantage/custom-node';
import { portTaken } from '../errors.ts';
import { sharePort } from './reuse-port.ts';

/** gRPC status. */
const UNAVAILABLE = 14;

class Absent extends CustomNode {
  readonly #why: () => string;

  constructor(why: () => string) {
    super();
    this.#why = why;
  }

  override describe(): never {
    throw Object.assign(new Error(this.#why()), { grpcCode: UNAVAILABLE });
  }

  override process(): never {
    return this.describe();
  }
}

/**
 * Holds a node's port while no process does: calls are answered at once with UNAVAILABLE and the reason, which the
 * pipeline shows. All of them listen with SO_REUSEPORT, so that a process can take the port over while it is held; the
 * stand-in lets go when that has happened.
 */
export class StandIn {
  readonly #host: string;
  readonly #why: () => string;
  #server: CustomNodeServer | undefined;
  #port = 0;

  constructor(host: string, why: () => string) {
    this.#host = host;
    this.#why = why;
  }

  /** The port that is held, or was held last; 0 before. */
  get port(): number {
    return this.#port;
  }

  /**
   * Listens. Of a port that is not held yet it is made sure first that nobody else has it: with SO_REUSEPORT two programs
   * would share its clients without a word.
   *
   * @param port 0: a free one
   * @throws VantageError `HOSTED_NODE_PORT_TAKEN`
   */
  async hold(port: number, known: boolean): Promise<number> {
    if (this.#server !== undefined && (port === 0 || port === this.#port)) return this.#port;
    await this.release();
    this.#port = known ? port : await requireFreePort(this.#host, port);
    sharePort(this.#port);
    const server = new CustomNodeServer(new Absent(this.#why), {
      host: this.#host,
      port: this.#port,
      drainMs: 0,
      sharedMemory: 'off',
    });
    try {
      await server.start();
    } catch (error) {
      throw portTaken(`port ${this.#port} cannot be listened on: ${messageOf(error)}`, { port: this.#port }, error);
    }
    this.#server = server;
    return this.#port;
  }

  /** Lets the port go. Idempotent. */
  async release(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop();
  }
}

async function requireFreePort(host: string, port: number): Promise<number> {
  const server = net.createServer();
  try {
    const listening = once(server, 'listening');
    server.listen({ host, port, exclusive: true });
    await listening;
  } catch (error) {
    const why = codeOf(error) === 'EADDRINUSE' ? 'another program listens on it' : messageOf(error);
    throw portTaken(`port ${port} is not to be had: ${why}. Give the node another one.`, { port }, error);
  }
  const { port: found } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return found;
}
