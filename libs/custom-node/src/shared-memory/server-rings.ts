import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { SharedFile } from '@vantage/shared-memory';
import { sharedFolder } from './folders.ts';
import { Ring, PROOF_BYTES } from './ring.ts';
import { formatAcceptance, formatResponseHandle, parseOffer, parseRequestHandle } from './words.ts';

/** Clients that share memory with one server; one more is sent pictures in messages. */
const MAX_RINGS = 64;
const SWEEP_MS = 10_000;

interface OpenRing {
  readonly file: SharedFile;
  readonly ring: Ring;
  /** Slots whose calls are under way. */
  readonly busy: Set<number>;
}

/** The server has no such ring (any more). */
export class RingGone extends Error {}

/** The server's end of the shared memory: the rings of all its clients. One that ends leaves its ring to be swept up. */
export class ServerRings {
  readonly #folder: string | undefined;
  readonly #rings = new Map<string, OpenRing>();
  #sweeper: NodeJS.Timeout | undefined;

  /** @param folder a tmpfs that both ends see; default: that of the environment */
  constructor(folder?: string) {
    this.#folder = sharedFolder(folder)?.folder;
  }

  /** Clients that share memory now. */
  get size(): number {
    return this.#rings.size;
  }

  /** What the handshake's answer says under `ACCEPT_KEY`; undefined: this server does not see that memory. */
  accept(offer: string): string | undefined {
    const parsed = parseOffer(offer);
    if (parsed === undefined) return undefined;
    this.sweep();
    if (this.#folder === undefined || this.#rings.size >= MAX_RINGS || this.#rings.has(parsed.file)) return undefined;
    let file: SharedFile | undefined;
    try {
      file = SharedFile.open(path.join(this.#folder, parsed.file));
      const ring = Ring.join(file, parsed.geometry);
      ring.setServerProof(randomBytes(PROOF_BYTES));
      this.#rings.set(parsed.file, { file, ring, busy: new Set() });
      this.#sweeper ??= setInterval(() => this.sweep(), SWEEP_MS).unref();
      const { clientProof, serverProof } = ring;
      return formatAcceptance({ file: parsed.file, clientProof, serverProof });
    } catch {
      // Another machine's, another container's, or not ours to open: the client then sends pictures in messages.
      file?.close();
      return undefined;
    }
  }

  /** The slot that a request names. @throws RingGone, or Error when the request makes no sense */
  open(handle: string): ServerSlot {
    const parsed = parseRequestHandle(handle);
    if (parsed === undefined) throw new Error(`not a handle of shared memory: ${handle.slice(0, 80)}`);
    const { file, slot, sequence, bytes } = parsed;
    const open = this.#rings.get(file);
    if (open === undefined) throw new RingGone('this server does not have that shared memory');
    const { ring, busy } = open;
    if (slot >= ring.geometry.slots || bytes > ring.geometry.requestBytes) {
      throw new Error(`slot ${slot} with ${bytes} bytes is not in the shared memory`);
    }
    if (busy.has(slot)) throw new Error(`slot ${slot} carries another call`);
    const stands = (): boolean => ring.sequence(slot) === sequence;
    if (!stands()) throw new Error(`slot ${slot} carries call ${ring.sequence(slot)}, not ${sequence}`);
    const pixels = ring.written(slot, 0, bytes);
    ring.setOpened(slot, sequence);
    if (!stands()) throw new Error(`call ${sequence} of slot ${slot} was given up`);
    busy.add(slot);
    return new ServerSlot(ring, slot, sequence, pixels, () => busy.delete(slot));
  }

  /** Lets go of the rings of clients that are gone: those hold a lock as long as they live. */
  sweep(): void {
    for (const [name, { file, ring, busy }] of this.#rings) {
      if (busy.size > 0 || !file.tryLock()) continue;
      ring.close();
      file.close();
      this.#rings.delete(name);
    }
    if (this.#rings.size === 0) this.#stopSweeping();
  }

  /** After the last call: the pictures of calls that are still under way are empty from here on. */
  close(): void {
    for (const { file, ring } of this.#rings.values()) {
      ring.close();
      file.close();
    }
    this.#rings.clear();
    this.#stopSweeping();
  }

  #stopSweeping(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

/** One call's part of the memory, until `done`. */
export class ServerSlot {
  /** The request's picture, in the shared memory itself: may be written to, and is somebody else's after `done`. */
  readonly pixels: Buffer;
  readonly #ring: Ring;
  readonly #slot: number;
  readonly #sequence: bigint;
  readonly #onDone: () => void;
  #offset = 0;
  #bytes = 0;
  #isDone = false;

  constructor(ring: Ring, slot: number, sequence: bigint, pixels: Buffer, onDone: () => void) {
    this.#ring = ring;
    this.#slot = slot;
    this.#sequence = sequence;
    this.pixels = pixels;
    this.#onDone = onDone;
  }

  /** Room for the answer's picture; undefined when it has to go in the message. A node may write its answer right here. */
  room(bytes: number): Buffer | undefined {
    if (bytes > this.#ring.geometry.responseBytes) return undefined;
    try {
      return this.#ring.responseArea(this.#slot, bytes);
    } catch {
      // Short of memory.
      return undefined;
    }
  }

  /**
   * Puts a picture into the answer: without a copy where it lies in the slot already.
   *
   * @returns false when it has to go in the message
   */
  put(picture: Uint8Array): boolean {
    let offset = this.#ring.offsetIn(this.#slot, picture);
    if (offset === undefined) {
      const room = this.room(picture.length);
      if (room === undefined) return false;
      room.set(picture);
      offset = this.#ring.offsetIn(this.#slot, room) ?? 0;
    }
    this.#offset = offset;
    this.#bytes = picture.length;
    return true;
  }

  /** Gives the slot back, whether the call is answered or not; what the answer says under `HANDLE_KEY`. */
  done(): string {
    if (!this.#isDone) {
      this.#isDone = true;
      // The server may have ended before the call.
      if (!this.#ring.isClosed) this.#ring.setReleased(this.#slot, this.#sequence);
      this.#onDone();
    }
    return formatResponseHandle({ sequence: this.#sequence, offset: this.#offset, bytes: this.#bytes });
  }
}
