import type { EncodedPacket } from './video-source-types.ts';

export interface PacketRingOptions {
  /** Keep at least this much before the newest packet, when there is that much. */
  readonly seconds: number;
  /** Upper bound; when it is reached, the oldest groups go, whatever their age. Default 64 MiB. */
  readonly maxBytes?: number;
}

interface Group {
  readonly packets: EncodedPacket[];
  readonly startUs: number;
  bytes: number;
}

/**
 * The last seconds of an encoded stream, in whole groups that start with a keyframe, so that a clip can begin before
 * the event that asks for it. Holds references to the packets' bytes; nobody may change them.
 */
export class PacketRing {
  readonly #keepUs: number;
  readonly #maxBytes: number;
  #groups: Group[] = [];
  #bytes = 0;
  #header: Uint8Array | undefined;
  #newestUs = -Infinity;
  /** Packets thrown away because one group alone was above the limit. */
  dropped = 0;

  constructor(options: PacketRingOptions) {
    this.#keepUs = options.seconds * 1e6;
    this.#maxBytes = options.maxBytes ?? 64 << 20;
  }

  get header(): Uint8Array | undefined {
    return this.#header;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  /** Seconds from the first to the newest packet kept. */
  get seconds(): number {
    const first = this.#groups[0];
    return first === undefined ? 0 : (this.#newestUs - first.startUs) / 1e6;
  }

  /**
   * The header of the packets that follow. Returns true when it differs from the one before: what was kept cannot be
   * played with it and is gone, and an open clip has to be closed.
   */
  setHeader(bytes: Uint8Array): boolean {
    const before = this.#header;
    this.#header = bytes;
    if (before === undefined || Buffer.compare(before, bytes) === 0) return false;
    this.clear();
    return true;
  }

  push(packet: EncodedPacket): void {
    let group = this.#groups.at(-1);
    if (packet.key) {
      group = { packets: [], startUs: packet.ptsUs, bytes: 0 };
      this.#groups.push(group);
    }
    if (group === undefined) return; // before the first keyframe nothing can be played
    group.packets.push(packet);
    group.bytes += packet.bytes.length;
    this.#bytes += packet.bytes.length;
    this.#newestUs = Math.max(this.#newestUs, packet.ptsUs);
    this.#evict();
  }

  /** The packets from the keyframe at or before `fromPtsUs` on; from the oldest one, when that is later. */
  since(fromPtsUs: number): EncodedPacket[] {
    let first = 0;
    for (let i = 0; i < this.#groups.length; i++) {
      if ((this.#groups[i]?.startUs ?? Infinity) <= fromPtsUs) first = i;
    }
    return this.#groups.slice(first).flatMap((group) => group.packets);
  }

  clear(): void {
    this.#groups = [];
    this.#bytes = 0;
    this.#newestUs = -Infinity;
  }

  #evict(): void {
    for (;;) {
      const second = this.#groups[1];
      const first = this.#groups[0];
      if (first === undefined) return;
      const old = second !== undefined && this.#newestUs - second.startUs >= this.#keepUs;
      const tooLarge = this.#bytes > this.#maxBytes;
      if (!old && !tooLarge) return;
      if (second === undefined) this.dropped += first.packets.length;
      this.#groups.shift();
      this.#bytes -= first.bytes;
    }
  }
}
