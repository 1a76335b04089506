import type { BackoffOptions, Logger } from '@vantage/observability';
import type { NodeFailure } from '../errors.ts';
import type { NodeIds, NodeInsights, NodePicture, NodeWants } from '../types.ts';

export interface CustomNodeClientOptions {
  /** As written in a skill; `parseEndpoint` says what is allowed. */
  readonly endpoint: string;
  readonly ids: NodeIds;
  /** A handshake or call that takes longer is given up. Default 5000. */
  readonly deadlineMs?: number;
  /** Calls under way at most; answers come in the order of the frames all the same. Default 1. */
  readonly inFlight?: number;
  /** Frames that wait for a free place at most; one more fails with CUSTOM_NODE_BUSY. Default 2. */
  readonly waiting?: number;
  /**
   * Larger messages are not sent. A node that tells what it takes (ours does), or refuses a message as too large, lowers it.
   * Default: what the node tells, else 4 MiB, gRPC's own.
   */
  readonly maxMessageBytes?: number;
  /** Pictures larger than this are made smaller, sides kept in proportion. */
  readonly downscale?: { readonly width: number; readonly height: number };
  /** TLS, as a scheme `https` asks for too. `ca` in PEM; absent: the system's. */
  readonly tls?: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  /** Sent as `authorization: Bearer <token>`. A secret: never logged. */
  readonly token?: string;
  /** `auto` uses shared memory where the other end offers it. Default `auto`. */
  readonly sharedMemory?: 'auto' | 'off';
  /** A tmpfs that both ends see. Default: `VANTAGE_SHARED_MEMORY` (`off` for none), else /dev/shm. */
  readonly sharedMemoryFolder?: string;
  /** 1 to 100. Default 95. */
  readonly jpegQuality?: number;
  readonly backoff?: BackoffOptions;
  readonly logger?: Logger;
  /** When the state changes, and when a kind of failed frame is met for the first time on a connection. */
  readonly onStatus?: (status: ClientStatus) => void;
}

/**
 * `connecting`: nobody answers (yet). `failed`: somebody answers, but not as the contract says; tried again all the same.
 */
export type ClientState = 'connecting' | 'ready' | 'failed' | 'stopped';

export interface NodeCounters {
  /** Process calls sent. */
  readonly calls: number;
  readonly answered: number;
  /** Frames without an answer, by code. */
  readonly failures: Readonly<Partial<Record<NodeFailure['code'], number>>>;
  /** Handshakes that were answered well. */
  readonly handshakes: number;
  /** Objects, attributes and events of answers that were left out. */
  readonly rejectedObjects: number;
  /** Pictures made smaller. */
  readonly downscaled: number;
  /** Bytes of Process messages, without what went through shared memory. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sharedMemoryFrames: number;
}

export interface ClientStatus {
  readonly state: ClientState;
  /** What the handshake of this or the last connection said. */
  readonly wants?: NodeWants;
  /** Why it is not ready, or what went wrong with the last frame. */
  readonly error?: NodeFailure;
  /** Pixels go through shared memory. */
  readonly sharedMemory: boolean;
  readonly counters: NodeCounters;
}

/** What became of one frame. */
export type NodeResult =
  | {
      readonly ok: true;
      /** Of the answer alone; `mergeInsights` puts them together with those of the frame. */
      readonly insights?: NodeInsights;
      /** Takes the place of the frame's picture. */
      readonly image?: NodePicture;
      /** From sending to the answer. */
      readonly roundTripMs: number;
    }
  | ({ readonly ok: false } & NodeFailure);
