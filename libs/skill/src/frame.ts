import type { Detection } from '@vantage/vision';

/** What is known about one frame of one camera. Pixels stay where they were decoded; this is what travels. */
export interface FrameInsights {
  readonly sensor: string;
  /** Counts the camera's frames since it was opened, dropped ones included. */
  readonly frameId: number;
  /** The frame's own time in its stream, microseconds. Trackers, rules and clips go by this clock. */
  readonly ptsUs: number;
  /** When the frame was captured, milliseconds since the Unix epoch. */
  readonly captureTimeMs: number;
  readonly width: number;
  readonly height: number;
  /** Boxes in pixels of the whole frame. */
  readonly detections: readonly Detection[];
}
