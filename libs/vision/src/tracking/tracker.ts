import type { Detection } from '../detection.ts';

/**
 * Gives detections of successive frames their `trackingId`.
 *
 * One tracker serves one camera and is fed in the order of the frames. Time is the frame's, never the clock's: the
 * same detections and times give the same ids at any replay speed.
 */
export interface Tracker {
  /** Name of the algorithm, as reported. */
  readonly name: string;
  /**
   * @param detections of one frame; not kept, not changed
   * @param timeUs the frame's own time in microseconds, not decreasing; a step back resets nothing but ages no track
   * @returns the detections in the same order, with `trackingId` set (a small positive integer), or -1 for one that
   *   has no confirmed track yet
   */
  update(detections: readonly Detection[], timeUs: number): Detection[];
  /** Tracks alive, confirmed or not. */
  readonly trackCount: number;
  /** Forgets all tracks (a camera that came back shows another scene). Ids go on where they stopped. */
  reset(): void;
}

/** What every tracker of the house understands. */
export interface TrackerOptions {
  /** The first id given. Default 1. */
  readonly firstId?: number;
  /** Least overlap for a detection to continue a track, 0 to 1. */
  readonly iouThreshold?: number;
  /** How long a track outlives its last detection, in microseconds of frame time. */
  readonly maxAgeUs?: number;
  /** Detections in a row before a track gets its id. 1 gives every detection an id at once. */
  readonly minHits?: number;
}
