import type { EncodedPacket } from '@vantage/media';
import type { FrameInsights } from '@vantage/skill';
import type { LiveMessage } from '../camera/protocol.ts';

/** A frame of the camera's own stream. */
export interface LivePacket extends EncodedPacket {
  /** Wall clock of the frame, milliseconds since the Unix epoch. */
  readonly captureTimeMs: number;
  /** It came before this watcher did. */
  readonly replayed: boolean;
}

/** Somebody who watches a camera. Calls come on the main thread; the bytes belong to all watchers. */
export interface LiveWatcher {
  /** At the start, and when the camera comes back; the packets behind it begin with a key frame. */
  onHeader?(header: Uint8Array): void;
  onPacket?(packet: LivePacket): void;
  onInsights?(frame: FrameInsights): void;
  /** The camera has left the configuration. */
  onEnd?(): void;
}

/** More of one group of frames is not kept: who joins then waits for the next key frame. */
const MAX_GROUP_BYTES = 32 << 20;

/** One camera and those who watch it. Its thread is asked for its stream only while there are any. */
export class LiveCamera {
  readonly pipeline: string;
  readonly sensor: string;
  readonly #ask: (on: boolean) => void;
  readonly #watchers = new Set<LiveWatcher>();
  #header: Uint8Array | undefined;
  #group: LivePacket[] = [];
  #groupBytes = 0;

  /** @param ask switches the camera's stream on and off */
  constructor(pipeline: string, sensor: string, ask: (on: boolean) => void) {
    this.pipeline = pipeline;
    this.sensor = sensor;
    this.#ask = ask;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Gives the packets since the last key frame first. @returns ends it; idempotent */
  watch(watcher: LiveWatcher): () => void {
    const isFirst = this.#watchers.size === 0;
    this.#watchers.add(watcher);
    if (isFirst) this.#ask(true);
    else if (this.#header) {
      watcher.onHeader?.(this.#header);
      for (const packet of this.#group) watcher.onPacket?.({ ...packet, replayed: true });
    }
    return () => {
      if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
      this.#ask(false);
      this.#header = undefined;
      this.#forget();
    };
  }

  receive(message: LiveMessage): void {
    switch (message.kind) {
      case 'liveHeader':
        this.#header = message.bytes;
        this.#forget();
        for (const watcher of this.#watchers) watcher.onHeader?.(message.bytes);
        return;
      case 'livePacket':
        this.#keep(message);
        for (const watcher of this.#watchers) watcher.onPacket?.(message);
        return;
      case 'liveInsights':
        this.insights(message.frame);
        return;
    }
  }

  insights(frame: FrameInsights): void {
    for (const watcher of this.#watchers) watcher.onInsights?.(frame);
  }

  /** Lets all watchers go. */
  end(): void {
    for (const watcher of [...this.#watchers]) watcher.onEnd?.();
  }

  #keep(packet: LivePacket): void {
    if (packet.key) this.#forget();
    else if (this.#group.length === 0) return;
    this.#group.push(packet);
    this.#groupBytes += packet.bytes.length;
    if (this.#groupBytes > MAX_GROUP_BYTES) this.#forget();
  }

  #forget(): void {
    this.#group = [];
    this.#groupBytes = 0;
  }
}
