import { MappedMemory, type SharedFile } from '@vantage/shared-memory';

/** One slot carries one call: the request's picture, and behind it room for the answer's. */
export interface RingGeometry {
  /** 1 to 32. */
  readonly slots: number;
  /** Largest picture of a request; up to 256 MiB. */
  readonly requestBytes: number;
  /** Largest picture of an answer that is not written over the request's; up to 256 MiB. */
  readonly responseBytes: number;
}

export const MAX_SLOTS = 32;
export const MAX_PICTURE_BYTES = 256 * 1024 * 1024;
export const PROOF_BYTES = 16;

const PAGE = 4096;
const MAGIC = 'VNRING01';
const GEOMETRY_AT = 8;
const CLIENT_PROOF_AT = 32;
const SERVER_PROOF_AT = 48;
const SLOT_HEADERS_AT = 64;
const SLOT_HEADER_BYTES = 64;

/** Rounded up to whole pages. */
function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}

/** Length of a slot in the file. */
export function slotBytes({ requestBytes, responseBytes }: RingGeometry): number {
  return pages(requestBytes) + pages(responseBytes);
}

/** Length of the file. Most of it is never touched and then takes no memory. */
export function ringBytes(geometry: RingGeometry): number {
  return PAGE + geometry.slots * slotBytes(geometry);
}

/** What is wrong with a geometry; undefined for a good one. */
export function geometryProblem({ slots, requestBytes, responseBytes }: RingGeometry): string | undefined {
  if (!Number.isInteger(slots) || slots < 1 || slots > MAX_SLOTS) return `${slots} slots are not 1 to ${MAX_SLOTS}`;
  for (const bytes of [requestBytes, responseBytes]) {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > MAX_PICTURE_BYTES) {
      return `slots of ${bytes} bytes are not 1 to ${MAX_PICTURE_BYTES}`;
    }
  }
  return undefined;
}

/**
 * The file both ends map: one page of header, then the slots.
 *
 * ```
 * 0  "VNRING01"   8  u32 slots   16  u64 requestBytes   24  u64 responseBytes   32  proof of the client   48  of the server
 * 64 + 64 i   slot i: u64 sequence (client: the call it carries, 0: none), u64 opened and u64 released (server: the last call
 *             it has begun with, and is done with)
 * ```
 *
 * Little endian. The words of a slot are ordered against its pixels by atomic access; everything else by the calls
 * themselves.
 */
export class Ring {
  readonly geometry: RingGeometry;
  readonly #file: SharedFile;
  /** Its first page. */
  readonly #header: MappedMemory;
  readonly #bytes: Buffer;
  readonly #words: BigUint64Array;
  /** All of it, from the first picture on: mapping so much makes the engine collect garbage, which a handshake alone should not. */
  #all: MappedMemory | undefined;
  /** First bytes of request and answer of each slot that memory was taken for. */
  readonly #allocated = new Map<number, number>();
  /** There is no memory for so many bytes: to try again for each frame costs more than the frame. */
  #refused = Infinity;

  private constructor(file: SharedFile, header: MappedMemory, geometry: RingGeometry) {
    this.geometry = geometry;
    this.#file = file;
    this.#header = header;
    this.#bytes = Buffer.from(header.buffer);
    this.#words = new BigUint64Array(header.buffer);
  }

  /** Makes an empty file a ring. @throws Error when memory is short, or the platform cannot map */
  static format(file: SharedFile, geometry: RingGeometry, proof: Buffer): Ring {
    file.resize(ringBytes(geometry));
    const header = MappedMemory.map(file, PAGE);
    try {
      header.allocate(0, PAGE);
    } catch (error) {
      header.close();
      throw error;
    }
    const ring = new Ring(file, header, geometry);
    ring.#bytes.writeUInt32LE(geometry.slots, GEOMETRY_AT);
    ring.#bytes.writeBigUInt64LE(BigInt(geometry.requestBytes), GEOMETRY_AT + 8);
    ring.#bytes.writeBigUInt64LE(BigInt(geometry.responseBytes), GEOMETRY_AT + 16);
    proof.copy(ring.#bytes, CLIENT_PROOF_AT);
    ring.#bytes.write(MAGIC, 0, 'latin1');
    return ring;
  }

  /** Maps a ring that the other process has made. @throws Error when it is not what was announced */
  static join(file: SharedFile, geometry: RingGeometry): Ring {
    const expected = ringBytes(geometry);
    if (file.sizeBytes !== expected) throw new Error(`the ring has ${file.sizeBytes} bytes, not ${expected}`);
    // Read, not mapped: nothing is touched before it is known to be a ring.
    const header = Buffer.alloc(CLIENT_PROOF_AT);
    file.read(0, header);
    const same =
      header.toString('latin1', 0, MAGIC.length) === MAGIC &&
      header.readUInt32LE(GEOMETRY_AT) === geometry.slots &&
      header.readBigUInt64LE(GEOMETRY_AT + 8) === BigInt(geometry.requestBytes) &&
      header.readBigUInt64LE(GEOMETRY_AT + 16) === BigInt(geometry.responseBytes);
    if (!same) throw new Error('the file is not the ring that was announced');
    return new Ring(file, MappedMemory.map(file, PAGE), geometry);
  }

  get clientProof(): string {
    return this.#bytes.toString('hex', CLIENT_PROOF_AT, CLIENT_PROOF_AT + PROOF_BYTES);
  }

  get serverProof(): string {
    return this.#bytes.toString('hex', SERVER_PROOF_AT, SERVER_PROOF_AT + PROOF_BYTES);
  }

  setServerProof(proof: Buffer): void {
    proof.copy(this.#bytes, SERVER_PROOF_AT);
  }

  /** Call that a slot carries. */
  sequence(slot: number): bigint {
    return Atomics.load(this.#words, wordOf(slot));
  }

  setSequence(slot: number, sequence: bigint): void {
    Atomics.store(this.#words, wordOf(slot), sequence);
  }

  /** Last call of a slot that the server has begun with. */
  opened(slot: number): bigint {
    return Atomics.load(this.#words, wordOf(slot) + 1);
  }

  setOpened(slot: number, sequence: bigint): void {
    Atomics.store(this.#words, wordOf(slot) + 1, sequence);
  }

  /** Last call of a slot that the server is done with. */
  released(slot: number): bigint {
    return Atomics.load(this.#words, wordOf(slot) + 2);
  }

  setReleased(slot: number, sequence: bigint): void {
    Atomics.store(this.#words, wordOf(slot) + 2, sequence);
  }

  /** Memory of a request's picture. @throws Error when memory is short */
  requestArea(slot: number, bytes: number): Buffer {
    return this.#area(slot, 0, bytes);
  }

  /** Memory of an answer's picture. @throws Error when memory is short */
  responseArea(slot: number, bytes: number): Buffer {
    return this.#area(slot, pages(this.geometry.requestBytes), bytes);
  }

  /** What the other end has written to a slot. @throws Error when it lies outside, or the file was cut */
  written(slot: number, offset: number, bytes: number): Buffer {
    if (offset < 0 || bytes < 0 || offset + bytes > slotBytes(this.geometry)) {
      throw new Error(`${bytes} bytes at ${offset} are outside the slot`);
    }
    return Buffer.from(this.#memory().buffer, this.#slotAt(slot) + offset, bytes);
  }

  /** Where in a slot some bytes lie; undefined when they are elsewhere. */
  offsetIn(slot: number, bytes: Uint8Array): number | undefined {
    if (bytes.buffer !== this.#all?.buffer) return undefined;
    const offset = bytes.byteOffset - this.#slotAt(slot);
    return offset >= 0 && offset + bytes.length <= slotBytes(this.geometry) ? offset : undefined;
  }

  get isClosed(): boolean {
    return this.#bytes.length === 0;
  }

  close(): void {
    this.#header.close();
    this.#all?.close();
  }

  /** All of it, mapped. @throws Error when the file was cut, the platform cannot map, or it is closed */
  #memory(): MappedMemory {
    if (this.isClosed) throw new Error('the ring is closed');
    const bytes = ringBytes(this.geometry);
    if (this.#file.sizeBytes < bytes) throw new Error('the shared file was cut');
    return (this.#all ??= MappedMemory.map(this.#file, bytes));
  }

  #slotAt(slot: number): number {
    return PAGE + slot * slotBytes(this.geometry);
  }

  #area(slot: number, offset: number, bytes: number): Buffer {
    const memory = this.#memory();
    const at = this.#slotAt(slot) + offset;
    if (bytes > (this.#allocated.get(at) ?? 0)) this.#allocate(memory, at, bytes);
    return Buffer.from(memory.buffer, at, bytes);
  }

  #allocate(memory: MappedMemory, at: number, bytes: number): void {
    if (bytes >= this.#refused) throw new Error('memory is short');
    try {
      memory.allocate(at, bytes);
    } catch (error) {
      this.#refused = bytes;
      throw error;
    }
    this.#allocated.set(at, bytes);
  }
}

function wordOf(slot: number): number {
  return (SLOT_HEADERS_AT + slot * SLOT_HEADER_BYTES) / 8;
}
