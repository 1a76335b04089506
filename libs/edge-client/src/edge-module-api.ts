import type { TwinObject } from '@vantage/contracts';

/** A message that a route brought to one of the module's inputs. Deliveries may repeat (at least once). */
export interface InputMessage {
  readonly input: string;
  readonly data: Buffer;
  /** The body as UTF-8, without a byte order mark. */
  readonly text: string;
  /** The body parsed. @throws VantageError EDGE_INPUT_NOT_JSON */
  json(): unknown;
  readonly properties: Readonly<Record<string, string>>;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly messageId: string | undefined;
  readonly correlationId: string | undefined;
  /** Sender as stamped by the hub. */
  readonly fromDevice: string | undefined;
  readonly fromModule: string | undefined;
}

export type InputHandler = (message: InputMessage) => void | Promise<void>;

export interface DesiredChange {
  /** `$version` of the twin; undefined when the hub gave none. Can go down when a module is created anew. */
  readonly version: number | undefined;
  /** The patch as it came, when exactly one led here; absent at start and when several were merged. */
  readonly patch?: TwinObject;
}

/** Gets the whole desired properties, frozen, without `$version` and `$metadata`. */
export type DesiredHandler = (desired: Readonly<TwinObject>, change: DesiredChange) => void | Promise<void>;

export interface MethodReply {
  /** 100 and above; 200 is success. */
  readonly status: number;
  readonly payload?: unknown;
}

/** Throwing answers status 500 with code and message. */
export type MethodHandler = (payload: unknown) => MethodReply | Promise<MethodReply>;

export type EdgeState = 'connecting' | 'connected' | 'reconnecting' | 'closed';

export interface EdgeStatus {
  readonly state: EdgeState;
  /** ISO time at which this state began. */
  readonly since: string;
  /** Why it is not connected, or why it last was not. Redacted. */
  readonly reason?: string;
  /** Failed attempts since the last connection. */
  readonly attempts: number;
}

export interface TwinView {
  readonly desired: Readonly<TwinObject>;
  readonly desiredVersion: number | undefined;
  /** What the hub has confirmed. */
  readonly reported: Readonly<TwinObject>;
}

/** Ends a registration. */
export type Unsubscribe = () => void;

/** The module side of an edge hub. Implemented by `EdgeModule` and, for unit tests, by `FakeEdgeModule`. */
export interface EdgeModuleApi {
  readonly twin: TwinView;
  readonly status: EdgeStatus;
  /**
   * Called with the whole desired properties as soon as they are known and after each change, one call at a time.
   * Changes that arrive while a handler is busy become one call with the newest state.
   */
  onDesired(handler: DesiredHandler): Unsubscribe;
  /**
   * Called for each message of an input, in order, one at a time. Messages that came before a handler wait for it.
   * The hub's copy is gone when the handler is called: a module that may not lose one keeps a journal.
   */
  onInput(input: string, handler: InputHandler): Unsubscribe;
  onMethod(name: string, handler: MethodHandler): void;
  onStatus(handler: (status: EdgeStatus) => void): Unsubscribe;
  /**
   * Sends a body to an output; objects become JSON. Resolves when the hub has it (PUBACK), also across reconnects,
   * so a message can arrive twice. A promise that is not awaited never becomes an unhandled rejection.
   *
   * @throws (rejects) VantageError EDGE_MESSAGE_TOO_LARGE, EDGE_MESSAGE_DROPPED, EDGE_MESSAGE_REFUSED,
   * EDGE_BODY_NOT_JSON, EDGE_CLOSED
   */
  send(output: string, body: unknown, properties?: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Merges a patch (null deletes) into the reported properties. Secrets are masked. Calls are coalesced; only what
   * differs is sent; it is tried until the hub has it, and again when the hub forgot it. Resolves when confirmed.
   *
   * @throws (rejects) VantageError EDGE_REPORTED_INVALID, EDGE_REPORTED_REFUSED, EDGE_CLOSED
   */
  report(patch: TwinObject): Promise<void>;
  /** Sends what waits (for a bounded time) and disconnects. Idempotent. */
  close(): Promise<void>;
}
