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
  /** The pixels of the answer, a copy; undefined where it brings them as bytes. */
  receive(metadata: Metadata): Buffer | undefined;
  /** Frees what it holds. Idempotent. */
  close(): void;
}

export interface SentPixels {
  /** The call is over: the place may be used again. */
  release(): void;
}

export interface ServerPixelPath {
  /** Reads the offer of a handshake and answers it. */
  accept(request: Metadata, response: Metadata): void;
  /**
   * The pixels of a call, a copy; undefined where they came as bytes.
   *
   * @throws VantageError CUSTOM_NODE_IMAGE_INVALID where it names a place that it cannot be read from
   */
  resolve(request: Metadata): Buffer | undefined;
  /** Puts the pixels of an answer there. False: send them as bytes. */
  answer(request: Metadata, response: Metadata, pixels: Uint8Array): boolean;
  /** Frees what it holds. Idempotent. */
  close(): void;
}
