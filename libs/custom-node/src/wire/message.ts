/** Bytes, or a way to write them where they belong. */
export type Payload = Uint8Array | { readonly length: number; readonly writeInto: (target: Uint8Array) => void };

/**
 * A protobuf message around one large payload, put together only where gRPC frames it: `@grpc/grpc-js` asks a serialised
 * message for `length`/`byteLength` and for `copy`, once each (`compression-filter.js`, `server-interceptors.js`), so that
 * pixels are copied once on their way to the socket instead of three times. {@link asBuffer} is the one place that
 * relies on it; a test fails when a newer grpc-js wants more.
 */
export class WireMessage {
  readonly length: number;
  readonly #head: Uint8Array;
  readonly #payload: Payload;
  readonly #tail: Uint8Array;
  #discarded = false;

  constructor(head: Uint8Array, payload: Payload, tail: Uint8Array) {
    this.#head = head;
    this.#payload = payload;
    this.#tail = tail;
    this.length = head.length + payload.length + tail.length;
  }

  get byteLength(): number {
    return this.length;
  }

  /** Writes the message into `target`, from `offset` on, as `Buffer.copy` would. */
  copy(target: Uint8Array, offset = 0): number {
    if (this.#discarded) return 0;
    target.set(this.#head, offset);
    const at = offset + this.#head.length;
    if (this.#payload instanceof Uint8Array) target.set(this.#payload, at);
    else this.#payload.writeInto(target.subarray(at, at + this.#payload.length));
    target.set(this.#tail, at + this.#payload.length);
    return this.length;
  }

  /** The payload may be somebody else's again: a call that gRPC still has under way writes nothing from now on. */
  discard(): void {
    this.#discarded = true;
  }

  toBuffer(): Buffer {
    const buffer = Buffer.allocUnsafe(this.length);
    this.copy(buffer);
    return buffer;
  }

  /** What grpc-js takes for a Buffer. */
  asBuffer(): Buffer {
    return this as unknown as Buffer;
  }
}
