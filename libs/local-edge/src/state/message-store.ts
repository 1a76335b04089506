import type { HubMessage } from '../hub/message.ts';

/** One place a message has to go. */
export interface Delivery {
  /** `<device>/<module>/<input>`. */
  readonly endpoint: string;
  /** Smaller goes first. */
  readonly priority: number;
  /** When it is no longer wanted, milliseconds since 1970; null: never. */
  readonly expiresAtMs: number | null;
}

/** A message that waits, with the places that still have to get it. */
export interface StoredMessage {
  /** Counts up; the order in which messages came in. */
  readonly sequence: number;
  readonly message: HubMessage;
  readonly deliveries: readonly Delivery[];
}

/**
 * Where messages wait until every target has acknowledged them. All the hub asks of a store, so that another engine
 * can take its place.
 */
export interface MessageStore {
  /** Opens the store and yields what was waiting when it was closed or lost, oldest first. */
  open(): Promise<readonly StoredMessage[]>;
  /**
   * Keeps a message. Resolves when it outlives this process; throws EDGE_STORE_FULL at the limit. Calls resolve in
   * the order they were made.
   */
  put(message: HubMessage, deliveries: readonly Delivery[]): Promise<StoredMessage>;
  /** A target has the message, or no longer wants it. Written soon; a crash before may deliver it once more. */
  settle(sequence: number, endpoint: string): void;
  /** Bytes of the messages that wait. */
  readonly sizeBytes: number;
  close(): Promise<void>;
}
