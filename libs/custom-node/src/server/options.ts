import type { Logger, Metrics } from '@vantage/observability';

export interface ServerTls {
  /** PEM. */
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Where given, clients need a certificate of this authority. */
  readonly clientCa?: Buffer;
}

export interface CustomNodeServerOptions {
  /** 0 = a free one. Default 6677, the sample's. */
  readonly port?: number;
  /** Default: all interfaces, as the sample does. */
  readonly host?: string;
  /** Listens on this Unix socket instead of a port. */
  readonly socketPath?: string;
  /** Largest message it takes. Default 64 MiB: 4K pictures as numpy fit. */
  readonly maxMessageBytes?: number;
  /** Frames that the node works on at the same time, of all clients together. Default 1: no two overlap. */
  readonly concurrency?: number;
  /** Frames that wait for their turn at most; one more is answered with RESOURCE_EXHAUSTED. Default 16. */
  readonly waiting?: number;
  readonly tls?: ServerTls;
  /** Calls without `authorization: Bearer <token>` are refused. */
  readonly token?: string;
  /** Where calls, times and errors are counted. Default: nowhere but in `metricsPort`'s own. */
  readonly metrics?: Metrics;
  /** Serves `/metrics`, `/healthz` and `/readyz` on this port (0 = a free one) of 127.0.0.1, or of `metricsHost`. */
  readonly metricsPort?: number;
  readonly metricsHost?: string;
  /** How long `stop` waits for calls under way. Default 10,000. */
  readonly drainMs?: number;
  /** `auto` lets clients of this machine send pixels through shared memory. Default `auto`. */
  readonly sharedMemory?: 'auto' | 'off';
  /** A tmpfs that both ends see. Default: `VANTAGE_SHARED_MEMORY` (`off` for none), else /dev/shm. */
  readonly sharedMemoryFolder?: string;
  /** 1 to 100. Default 95. */
  readonly jpegQuality?: number;
  readonly logger?: Logger;
}
