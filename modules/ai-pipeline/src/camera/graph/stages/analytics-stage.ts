import type { Analytics } from '@vantage/skill';
import type { CameraFrame, GraphStage } from '../stage.ts';

/** The rules of an nvdsanalytics file behind the trunk. */
export class AnalyticsGraphStage implements GraphStage {
  readonly #analytics: Analytics;

  constructor(analytics: Analytics) {
    this.#analytics = analytics;
  }

  process(frame: CameraFrame): CameraFrame {
    const { detections, ptsUs, width, height } = frame.insights;
    const analytics = this.#analytics.update(detections, ptsUs, width, height);
    return { ...frame, insights: { ...frame.insights, analytics } };
  }

  reset(): void {
    this.#analytics.reset();
  }

  stop(): void {
    // Nothing is open.
  }
}
