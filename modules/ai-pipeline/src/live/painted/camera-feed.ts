import type { RegionOfInterest } from '@vantage/contracts';
import type { FrameInsights } from '@vantage/skill';
import { toInferences } from '../../frame-inferences.ts';
import { paintedParts } from '../../overlay/clip-frames.ts';
import type { LiveCamera, LivePacket } from '../live-camera.ts';
import type { CameraMessage } from './messages.ts';

/** So long a frame waits for what the model says about it; then what was said before stands in it. */
const INSIGHTS_WAIT_MS = 400;

export interface CameraFeedOptions {
  readonly camera: LiveCamera;
  /** False: what is seen is not asked for, and no frame waits for it. */
  readonly paint: boolean;
  readonly regions: () => readonly RegionOfInterest[];
  readonly post: (message: CameraMessage) => void;
  /** The camera has left the configuration. */
  readonly onGone: () => void;
}

/** A camera's stream and what is seen in it, on their way to who paints it: what is seen arrives before its frame. */
export class CameraFeed {
  readonly #options: CameraFeedOptions;
  /** Packets that wait for what is seen in their frames. */
  readonly #waiting: { readonly packet: LivePacket; readonly untilMs: number }[] = [];
  readonly #unwatch: () => void;
  #timer: NodeJS.Timeout | undefined;
  #header: Uint8Array | undefined;
  #newestSeenUs = -Infinity;
  #hasBegun = false;
  #regions: readonly RegionOfInterest[] | undefined;

  /** Runs from here on until `stop`. */
  constructor(options: CameraFeedOptions) {
    this.#options = options;
    this.#unwatch = options.camera.watch({
      onHeader: (bytes) => this.#onHeader(bytes),
      onPacket: (packet) => this.#onPacket(packet),
      onInsights: (frame) => this.#onInsights(frame),
      onEnd: options.onGone,
    });
  }

  /** Idempotent. */
  stop(): void {
    this.#unwatch();
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
  }

  #onHeader(bytes: Uint8Array): void {
    // A camera that comes back as it was, or a film that begins anew, goes on in the same decoder.
    if (this.#header && Buffer.compare(this.#header, bytes) === 0) return;
    this.#header = bytes;
    this.#flush(Infinity);
    this.#hasBegun = false;
    this.#newestSeenUs = -Infinity;
    this.#options.post({ kind: 'header', bytes });
  }

  #onPacket(packet: LivePacket): void {
    if (packet.key) this.#sendRegions();
    const waitMs = packet.replayed || !this.#options.paint ? 0 : INSIGHTS_WAIT_MS;
    this.#waiting.push({ packet, untilMs: performance.now() + waitMs });
    this.#flush(performance.now());
  }

  #onInsights(frame: FrameInsights): void {
    if (!this.#options.paint) return;
    const seen = paintedParts(toInferences(this.#options.camera.pipeline, frame));
    this.#options.post({ kind: 'insights', ptsUs: frame.ptsUs, seen });
    this.#newestSeenUs = Math.max(this.#newestSeenUs, frame.ptsUs);
    this.#flush(performance.now());
  }

  /** Hands on what has waited enough, in order. */
  #flush(nowMs: number): void {
    clearTimeout(this.#timer);
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const { packet, untilMs } = next;
      if (untilMs > nowMs && packet.ptsUs > this.#newestSeenUs) {
        this.#timer = setTimeout(() => this.#flush(performance.now()), untilMs - nowMs);
        return;
      }
      this.#waiting.shift();
      const { ptsUs, key, bytes, replayed } = packet;
      if (!replayed && !this.#hasBegun) {
        this.#hasBegun = true;
        this.#options.post({ kind: 'begin', ptsUs });
      }
      this.#options.post({ kind: 'packet', ptsUs, key, bytes, replayed });
    }
  }

  #sendRegions(): void {
    const regions = this.#options.regions();
    if (regions === this.#regions || !this.#options.paint) return;
    this.#regions = regions;
    this.#options.post({ kind: 'regions', regions });
  }
}
