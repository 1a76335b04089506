import type { Metadata } from '@grpc/grpc-js';
import type { Payload } from './wire/message.ts';

/**
 * A way for pixels beside the messages, between a client and a server of ours that share memory. Negotiated in the metadata
 * of the handshake; peers that do not know it ignore the keys.
 */
export interface ClientPixelPath {
  /** Adds its offer to a handshake's metadata. */
  offer(metadata: Metadata): void;
  /** Reads the metadata of the handshake's answer. False: pixels go as bytes. */
  accept(metadata: Metadata): boolean;
  /** Puts the pixels of one call there and says so in its metadata. Undefined: send them as bytes. */
  send(payload: Payload, metadata: Metadata): SentPixels | undefined;
  /** Why it does not work (any more), for people; undefined while it does. */
  readonly problem: string | undefined;
  /** Frees what it holds. Idempotent. */
  close(): void;
}

/** The place of one call. */
export interface SentPixels {
  /** What was sent, good until `end`. */
  readonly pixels: Uint8Array;
  /**
   * The pixels of the answer, good until `end`; undefined where it brings none there.
   *
   * @throws Error where the answer does not say, or nonsense: pixels did not arrive
   */
  receive(metadata: Metadata): Buffer | undefined;
  /** The call is over. Unanswered, its place rests until the server is done with it. */
  end(answered: boolean): void;
}

export interface ServerPixelPath {
  /** Reads the offer of a handshake and answers it. */
  accept(request: Metadata, response: Metadata): void;
  /**
   * The pixels of a call; undefined where they came as bytes.
   *
   * @throws PixelsGone where they cannot be had: the client has to send them again
   */
  resolve(request: Metadata): ReceivedPixels | undefined;
  /** Frees what it holds. Idempotent. */
  close(): void;
}

/** The place of one call, seen from the server. */
export interface ReceivedPixels {
  /** The node's own until `end`; may be written to. */
  readonly pixels: Buffer;
  /** Puts the pixels of the answer there. False: send them as bytes. */
  put(pixels: Uint8Array): boolean;
  /** The node is done with the call, however it ended: tells the answer's metadata. */
  end(response: Metadata): void;
}

/** Pixels are not where the client says. */
export class PixelsGone extends Error {
  /** Says so to the client. */
  readonly metadata: Metadata;

  constructor(message: string, metadata: Metadata) {
    super(message);
    this.metadata = metadata;
  }
}
