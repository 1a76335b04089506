import type { EncodedPacket } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import type { LiveMessage } from './protocol.ts';

interface HeldPacket extends EncodedPacket {
  readonly captureTimeMs: number;
}

/** More of one group of frames is not kept: who joins then waits for the next key frame. */
const MAX_GROUP_BYTES = 32 << 20;

/**
 * The encoded stream on its way to those who watch it. Without any it only remembers the packets since the last key frame
 * (the recorder has the same bytes), so that a picture stands at once when somebody comes.
 */
export class LiveTap {
  readonly #send: (message: LiveMessage) => void;
  #header: Uint8Array | undefined;
  #group: HeldPacket[] = [];
  #groupBytes = 0;
  #watched = false;

  constructor(send: (message: LiveMessage) => void) {
    this.#send = send;
  }

  watch(on: boolean): void {
    if (on === this.#watched) return;
    this.#watched = on;
    if (!on || !this.#header) return;
    this.#send({ kind: 'liveHeader', bytes: this.#header });
    for (const packet of this.#group) this.#send({ kind: 'livePacket', ...packet, replayed: true });
  }

  onHeader(bytes: Uint8Array): void {
    this.#header = bytes;
    this.#forget();
    if (this.#watched) this.#send({ kind: 'liveHeader', bytes });
  }

  onPacket({ ptsUs, key, bytes }: EncodedPacket, captureTimeMs: number): void {
    const packet = { ptsUs, key, bytes, captureTimeMs };
    if (key) this.#forget();
    if (key || this.#group.length > 0) {
      this.#group.push(packet);
      this.#groupBytes += bytes.length;
      if (this.#groupBytes > MAX_GROUP_BYTES) this.#forget();
    }
    if (this.#watched) this.#send({ kind: 'livePacket', ...packet, replayed: false });
  }

  onInsights(frame: FrameInsights): void {
    if (this.#watched) this.#send({ kind: 'liveInsights', frame });
  }

  #forget(): void {
    this.#group = [];
    this.#groupBytes = 0;
  }
}
