import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const TICK_MS = 50;

/** A TCP proxy on loopback that lets only so many bytes a second through to a port, all its connections together. */
export class SlowLine {
  readonly port: number;
  /** 0: nothing goes through. */
  bytesPerSecond: number;
  /** Bytes that went through. */
  passed = 0;
  readonly #server: net.Server;
  readonly #target: number;
  readonly #sockets = new Set<net.Socket>();
  #freeAtMs = 0;

  private constructor(server: net.Server, target: number, bytesPerSecond: number) {
    this.#server = server;
    this.#target = target;
    this.bytesPerSecond = bytesPerSecond;
    this.port = (server.address() as net.AddressInfo).port;
    server.on('connection', (outer) => this.#join(outer));
  }

  static async open(target: number, bytesPerSecond: number): Promise<SlowLine> {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new SlowLine(server, target, bytesPerSecond);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #join(outer: net.Socket): void {
    const inner = net.connect(this.#target, '127.0.0.1');
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
    inner.pipe(outer);
    this.#squeeze(outer, inner).catch(() => outer.destroy());
  }

  async #squeeze(from: net.Socket, to: net.Socket): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length;) {
        const { bytesPerSecond } = this;
        if (bytesPerSecond === 0) {
          await delay(TICK_MS);
          if (from.destroyed || to.destroyed) return;
          continue;
        }
        const piece = chunk.subarray(at, at + Math.max(1, (bytesPerSecond * TICK_MS) / 1000));
        const startMs = Math.max(performance.now(), this.#freeAtMs);
        this.#freeAtMs = startMs + (piece.length / bytesPerSecond) * 1000;
        await delay(this.#freeAtMs - performance.now());
        to.write(piece);
        this.passed += piece.length;
        at += piece.length;
      }
    }
    to.end();
  }
}
