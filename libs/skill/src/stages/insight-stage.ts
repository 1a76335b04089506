import type { FrameInsights } from '../frame.ts';

/**
 * A step that looks at insights only. One per camera and node; it goes by the frames' own time (`ptsUs`), so that a file
 * replayed at any speed gives the same answers. Not for two threads at once.
 */
export interface InsightStage {
  /** A new frame, or the same one where nothing changed; the given frame is never changed. Every frame goes on. */
  process(frame: FrameInsights): FrameInsights;
  /** Another scene (the camera was opened again): nobody is where somebody was. Totals go on. */
  reset(): void;
}
