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
   * @param detections of one frame; not changed, and kept until the frame after they were last matched
   * @param timeUs the frame's own time in microseconds; a step back, or a time that is no number, counts as no time
   * @param embeddings what each detection looks like, in the order of `detections`, undefined for one without; trackers
   *   that do not look at appearance leave them alone
   * @returns the detections in the same order, with `trackingId` set (a small positive integer), or -1 for one that
   *   has no confirmed track: its track is too young, its score too low, its box has no area or is not finite, or the
   *   frame holds more than `maxTracks`
   */
  update(
    detections: readonly Detection[],
    timeUs: number,
    embeddings?: readonly (Float32Array | undefined)[],
  ): Detection[];
  /**
   * Where the objects of the last update are by `timeUs`, for a frame that no detector looks at. Changes nothing: the
   * next update is the same with and without it.
   *
   * @returns confirmed tracks that the last update saw, in the order of their ids; everything but the place (`box`,
   *   `points`, `keypoints`) is as it was last detected
   */
  predict(timeUs: number): Detection[];
  /** Tracks alive, confirmed or not. */
  readonly trackCount: number;
  /** Forgets all tracks (a camera that came back shows another scene). Ids go on where they stopped. */
  reset(): void;
}

/** Noise of the motion model, in proportion to the height of the box. One that is set makes it Deep SORT's filter. */
export interface MotionNoise {
  /** Standard deviation of a position. Default 1/20. */
  readonly positionNoise?: number;
  /** How much a speed changes a frame. Default 1/160. */
  readonly velocityNoise?: number;
}

/** What every tracker of the house understands; each has defaults of its own. */
export interface TrackerOptions extends MotionNoise {
  /** The first id given. Default 1. */
  readonly firstId?: number;
  /** Least score for a detection to continue a track: the overlap (IoU), for `bytetrack` times the confidence. */
  readonly iouThreshold?: number;
  /** How long a track outlives its last detection, in microseconds of frame time. */
  readonly maxAgeUs?: number;
  /** Detections in a row before a track gets its id. 1 gives every detection an id at once. */
  readonly minHits?: number;
  /** Detections below this confidence are not looked at. */
  readonly lowThreshold?: number;
  /** Least confidence to start a track. */
  readonly newTrackThreshold?: number;
  /** A detection that overlaps an object of its class, seen in this frame, by more than this (IoU) starts no track. */
  readonly maxOverlapToStart?: number;
  /** Tracks at most, and detections of a frame that are looked at (those of highest confidence). */
  readonly maxTracks?: number;
  /** Whether a track keeps to the class of its detections. Default true. */
  readonly matchClasses?: boolean;
  /** Ids of the classes that are tracked; the others stay untracked. Default none: all are. */
  readonly onlyClasses?: readonly number[];
  /**
   * Whether boxes are given out as the motion model sees them, between where they were expected and where they were
   * detected: steadier, a little late. Default false: as detected.
   */
  readonly smoothBoxes?: boolean;
}
