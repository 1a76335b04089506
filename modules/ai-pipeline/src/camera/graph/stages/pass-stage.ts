import type { CameraFrame, GraphStage } from '../stage.ts';

/** A node that has nothing to do (yet). */
export class PassStage implements GraphStage {
  process(frame: CameraFrame): CameraFrame {
    return frame;
  }

  stop(): void {
    // Nothing is open.
  }
}
