import type { TrackStage } from '../../track-stage.ts';
import type { CameraFrame, GraphStage } from '../stage.ts';

/** A tracker behind the trunk. */
export class TrackerGraphStage implements GraphStage {
  readonly #tracker: TrackStage;

  constructor(tracker: TrackStage) {
    this.#tracker = tracker;
  }

  process(frame: CameraFrame): CameraFrame {
    const { insights } = frame;
    return {
      ...frame,
      insights: { ...insights, detections: this.#tracker.update(insights.detections, insights.ptsUs) },
    };
  }

  reset(): void {
    this.#tracker.reset();
  }

  stop(): void {
    // Nothing is open.
  }
}
