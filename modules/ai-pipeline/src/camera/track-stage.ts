import { createTracker, type Detection, type Tracker } from '@vantage/vision';
import type { TrackerSetup } from './protocol.ts';

/** The tracker of one camera. Ids go on when it is changed: none is given twice. */
export class TrackStage {
  #setup: TrackerSetup | undefined;
  #tracker: Tracker | undefined;
  #frameIntervalUs: number | undefined;
  #nextId = 1;

  constructor(setup: TrackerSetup | undefined) {
    this.#setup = setup;
  }

  get isOn(): boolean {
    return this.#setup !== undefined;
  }

  /** Ages of tracks are given in frames of the model: what lies between two of them. */
  setFrameInterval(us: number | undefined): void {
    this.#frameIntervalUs = us;
  }

  /** Tracks start anew. */
  use(setup: TrackerSetup | undefined): void {
    this.#setup = setup;
    this.#tracker = undefined;
  }

  update(detections: readonly Detection[], timeUs: number): readonly Detection[] {
    if (!this.#setup) return detections;
    const tracked = this.#current(this.#setup).update(detections, timeUs);
    for (const { trackingId } of tracked) if (trackingId >= this.#nextId) this.#nextId = trackingId + 1;
    return tracked;
  }

  /** Where the tracked objects are on a frame that no model looks at. */
  predict(timeUs: number): readonly Detection[] {
    return this.#tracker?.predict(timeUs) ?? [];
  }

  reset(): void {
    this.#tracker?.reset();
  }

  #current({ runsAs, classIds }: TrackerSetup): Tracker {
    this.#tracker ??= createTracker(runsAs, {
      firstId: this.#nextId,
      ...(this.#frameIntervalUs === undefined ? {} : { frameIntervalUs: this.#frameIntervalUs }),
      ...(classIds.length > 0 ? { onlyClasses: classIds } : {}),
    });
    return this.#tracker;
  }
}
