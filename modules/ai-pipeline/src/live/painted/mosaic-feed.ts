import type { LiveEntry, LiveHub } from '../live-hub.ts';
import { CameraFeed } from './camera-feed.ts';
import type { MosaicMessage } from './messages.ts';
import { tilesOf } from './mosaic-picture.ts';
import { isPainted, regionsOf, tiledSensors } from './painted-parts.ts';

export interface MosaicFeedOptions {
  readonly hub: LiveHub;
  /** Its id. */
  readonly pipeline: string;
  readonly post: (message: MosaicMessage) => void;
  /** The pipeline has left the configuration. */
  readonly onGone: () => void;
}

/** Of the contract's recordings; more would be encoded for nobody's eyes. */
const MAX_FPS = 30;

/** The cameras of a pipeline on their way to its mosaic: those that the configuration names now, as it names them. */
export class MosaicFeed {
  readonly #options: MosaicFeedOptions;
  readonly #unlisten: () => void;
  #feeds = new Map<string, CameraFeed>();
  #isPainted = false;
  #fps = 0;

  /** Runs from here on until `stop`. */
  constructor(options: MosaicFeedOptions) {
    this.#options = options;
    this.#unlisten = options.hub.onChange(() => this.#look());
    this.#look();
  }

  /** Idempotent. */
  stop(): void {
    this.#unlisten();
    for (const feed of this.#feeds.values()) feed.stop();
    this.#feeds.clear();
  }

  #look(): void {
    const { hub, pipeline, post, onGone } = this.#options;
    const entries = hub.list().filter(({ graph }) => graph.id === pipeline);
    const [first] = entries;
    if (!first) {
      onGone();
      return;
    }
    const fastest = Math.max(...entries.map(({ status }) => status?.fps ?? 0));
    const fps = Math.max(1, Math.min(MAX_FPS, fastest));
    if (fastest > 0 && fps !== this.#fps) {
      this.#fps = fps;
      post({ kind: 'rate', fps });
    }
    const paint = isPainted(first.graph);
    const sensors = tiledSensors(first.graph);
    const isSame = sensors.join('\0') === [...this.#feeds.keys()].join('\0');
    if (!isSame || paint !== this.#isPainted) this.#arrange(entries, sensors, paint);
  }

  #arrange(entries: readonly LiveEntry[], sensors: readonly string[], paint: boolean): void {
    const before = this.#feeds;
    // Tiles of the same size show what their decoders already give.
    const keep = paint === this.#isPainted && sizeOf(before.size) === sizeOf(sensors.length);
    this.#options.post({ kind: 'tiles', sensors, keep });
    this.#isPainted = paint;
    this.#feeds = new Map(
      entries.map((entry) => {
        const { sensor } = entry.source;
        return [sensor, (keep ? before.get(sensor) : undefined) ?? this.#feed(entry, paint)];
      }),
    );
    // After the new ones began: a camera that is watched all the time gives what it sent since its last key frame.
    for (const [sensor, feed] of before) if (this.#feeds.get(sensor) !== feed) feed.stop();
  }

  #feed(entry: LiveEntry, paint: boolean): CameraFeed {
    const { hub, post } = this.#options;
    const { sensor } = entry.source;
    return new CameraFeed({
      ...{ camera: hub.camera(entry), paint, regions: regionsOf(hub, entry) },
      post: (message) => post({ kind: 'camera', sensor, message }),
      // The tiles of those that stay follow from the next look.
      onGone: () => undefined,
    });
  }
}

function sizeOf(count: number): string {
  const [tile] = tilesOf(count);
  return `${tile?.width}x${tile?.height}`;
}
