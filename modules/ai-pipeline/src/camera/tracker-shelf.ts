import { isDeepStrictEqual } from 'node:util';
import type { TrackerSetup } from './protocol.ts';
import { TrackStage } from './track-stage.ts';

/** The trackers of a camera by node: one that moves to another place of its graph keeps its tracks. */
export class TrackerShelf {
  readonly #trackers = new Map<string, { setup: TrackerSetup | undefined; readonly stage: TrackStage }>();
  #frameIntervalUs: number | undefined;

  /** Tracks start anew only where the setup is another one. */
  get(node: string, setup: TrackerSetup | undefined): TrackStage {
    const known = this.#trackers.get(node);
    if (known) {
      if (!isDeepStrictEqual(known.setup, setup)) known.stage.use(setup);
      known.setup = setup;
      return known.stage;
    }
    const stage = new TrackStage(setup);
    stage.setFrameInterval(this.#frameIntervalUs);
    this.#trackers.set(node, { setup, stage });
    return stage;
  }

  /** Forgets all others. */
  keep(nodes: ReadonlySet<string>): void {
    for (const node of this.#trackers.keys()) if (!nodes.has(node)) this.#trackers.delete(node);
  }

  setFrameInterval(us: number | undefined): void {
    this.#frameIntervalUs = us;
    for (const { stage } of this.#trackers.values()) stage.setFrameInterval(us);
  }
}
