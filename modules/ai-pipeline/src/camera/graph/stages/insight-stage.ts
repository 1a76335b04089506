import type { InsightStage } from '@vantage/skill';
import type { CameraFrame, GraphStage } from '../stage.ts';

/** A filter or rule as a stage: it looks at insights only, and takes no time to speak of. */
export class InsightGraphStage implements GraphStage {
  readonly #stage: InsightStage;

  constructor(stage: InsightStage) {
    this.#stage = stage;
  }

  process(frame: CameraFrame): CameraFrame {
    return { ...frame, insights: this.#stage.process(frame.insights) };
  }

  reset(): void {
    this.#stage.reset();
  }

  stop(): void {
    // Nothing is open.
  }
}
