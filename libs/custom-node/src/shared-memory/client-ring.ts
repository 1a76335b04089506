import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { SharedFile } from '@vantage/shared-memory';
import { Ring, PROOF_BYTES, geometryProblem, type RingGeometry } from './ring.ts';
import { sharedFolder } from './folders.ts';
import { removeStale } from './stale.ts';
import { FILE_PREFIX, formatOffer, formatRequestHandle, parseAcceptance, parseResponseHandle } from './words.ts';

/** Below this a picture in the message is as fast. */
export const MIN_SHARED_BYTES = 64 * 1024;

interface SlotState {
  /** Call it carried last; 0n for none. */
  sequence: bigint;
  /** `doubt`: the call ended without an answer, and the server may still be at it. */
  use: 'free' | 'taken' | 'doubt';
}

/**
 * The client's end of the shared memory of one connection: it makes the file, offers it in the handshake, and owns the slots.
 * Each call takes one, so nobody writes to a slot that the other end still reads. Nothing here throws for a frame: where
 * shared memory does not do, the picture goes in the message.
 */
export class ClientRing {
  readonly #file: SharedFile;
  readonly #ring: Ring;
  readonly #name: string;
  readonly #proof: string;
  readonly #slots: readonly SlotState[];
  #sequence = 0n;
  #state: 'offered' | 'accepted' | 'closing' | 'closed' = 'offered';
  #problem: string | undefined;

  private constructor(file: SharedFile, ring: Ring, name: string, proof: string) {
    this.#file = file;
    this.#ring = ring;
    this.#name = name;
    this.#proof = proof;
    this.#slots = Array.from({ length: ring.geometry.slots }, () => ({ sequence: 0n, use: 'free' }));
  }

  /**
   * @param folder a tmpfs that both ends see; default: that of the environment
   * @throws Error where there is no shared memory
   */
  static create(geometry: RingGeometry, folder?: string): ClientRing {
    const problem = geometryProblem(geometry);
    if (problem !== undefined) throw new Error(problem);
    const shared = sharedFolder(folder);
    if (shared === undefined) throw new Error('shared memory is switched off');
    removeStale(shared.folder);
    const file = SharedFile.create({
      prefix: FILE_PREFIX,
      folders: [shared.folder],
      named: true,
      mode: shared.mode,
    });
    try {
      file.tryLock();
      const proof = randomBytes(PROOF_BYTES);
      const ring = Ring.format(file, geometry, proof);
      return new ClientRing(file, ring, path.basename(file.path ?? ''), proof.toString('hex'));
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** What the handshake's request says under `OFFER_KEY`. */
  get offer(): string {
    return formatOffer({ file: this.#name, geometry: this.#ring.geometry });
  }

  /** Whether pictures may go through it. */
  get isUsable(): boolean {
    return this.#state === 'accepted' && this.#problem === undefined;
  }

  /** Why it is not used (any more); for people. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /**
   * Checks what the handshake's answer says under `ACCEPT_KEY`. From here on the file has no name: nothing is left behind,
   * whoever ends first.
   *
   * @returns whether both ends see the same memory; if not, the ring is closed
   */
  accept(answer: string | undefined): boolean {
    if (this.#state !== 'offered') return false;
    this.#file.unlink();
    const acceptance = answer === undefined ? undefined : parseAcceptance(answer);
    const isSame =
      acceptance?.file === this.#name &&
      acceptance.clientProof === this.#proof &&
      acceptance.serverProof === this.#ring.serverProof;
    if (isSame) {
      this.#state = 'accepted';
      return true;
    }
    this.#problem = answer === undefined ? 'the server does not share memory' : 'the server sees another file';
    this.close();
    return false;
  }

  /** A slot for a picture of a request; undefined when it has to go in the message. */
  take(bytes: number): ClientSlot | undefined {
    if (!this.isUsable || bytes < MIN_SHARED_BYTES || bytes > this.#ring.geometry.requestBytes) return undefined;
    const slot = this.#slots.findIndex(
      ({ use, sequence }, at) => use === 'free' || (use === 'doubt' && this.#ring.released(at) === sequence),
    );
    const state = this.#slots[slot];
    if (state === undefined) return undefined;
    let area: Buffer;
    try {
      area = this.#ring.requestArea(slot, bytes);
    } catch (error) {
      this.#problem = (error as Error).message;
      return undefined;
    }
    this.#sequence += 1n;
    state.sequence = this.#sequence;
    state.use = 'taken';
    this.#ring.setSequence(slot, state.sequence);
    return new ClientSlot({
      ring: this.#ring,
      state,
      slot,
      file: this.#name,
      pixels: area,
      onEnd: () => this.#ended(),
    });
  }

  /** No more calls; the memory is let go of when the last one under way has ended. Idempotent. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    this.#ended();
  }

  #ended(): void {
    if (this.#state !== 'closing' || this.#slots.some(({ use }) => use === 'taken')) return;
    this.#state = 'closed';
    this.#ring.close();
    this.#file.close();
  }
}

interface SlotParts {
  readonly ring: Ring;
  readonly state: SlotState;
  readonly slot: number;
  readonly file: string;
  readonly pixels: Buffer;
  readonly onEnd: () => void;
}

/** One call's part of the memory, until `release` or `abandon`. */
export class ClientSlot {
  /** To be filled before the call. */
  readonly pixels: Buffer;
  /** What the request says under `HANDLE_KEY`. */
  readonly handle: string;
  readonly #ring: Ring;
  readonly #state: SlotState;
  readonly #slot: number;
  readonly #onEnd: () => void;

  constructor({ ring, state, slot, file, pixels, onEnd }: SlotParts) {
    this.#ring = ring;
    this.#state = state;
    this.#slot = slot;
    this.#onEnd = onEnd;
    this.pixels = pixels;
    this.handle = formatRequestHandle({ file, slot, sequence: state.sequence, bytes: pixels.length });
  }

  /**
   * The picture of the answer, from what the answer says under `HANDLE_KEY`; undefined when there is none in the slot. It is
   * the shared memory itself: good until `release`.
   *
   * @throws Error when that makes no sense
   */
  answer(handle: string): Buffer | undefined {
    const parsed = parseResponseHandle(handle);
    if (parsed === undefined || parsed.sequence !== this.#state.sequence) {
      throw new Error(
        `the server's word about shared memory is none of call ${this.#state.sequence}: ${handle.slice(0, 80)}`,
      );
    }
    return parsed.bytes === 0 ? undefined : this.#ring.written(this.#slot, parsed.offset, parsed.bytes);
  }

  /** The call was answered, and the answer's picture was copied out. */
  release(): void {
    if (this.#state.use !== 'taken') return;
    this.#state.use = 'free';
    this.#onEnd();
  }

  /** The call ended without an answer: the slot is withdrawn, or rests until the server is done with it. */
  abandon(): void {
    if (this.#state.use !== 'taken') return;
    // The server looks in the other order: it says that it begins, then whether the call still stands. One of the two sees
    // the other's word.
    this.#ring.setSequence(this.#slot, 0n);
    this.#state.use = this.#ring.opened(this.#slot) === this.#state.sequence ? 'doubt' : 'free';
    this.#onEnd();
  }
}
