import type { ConfigReading } from '../report.ts';

/** NVIDIA's algorithms, told apart by which parts of the low-level tracker a file switches on. */
export type NvidiaTracker = 'IOU' | 'NvSORT' | 'NvDeepSORT' | 'NvDCF';

/**
 * The settings of a tracker of `@vantage/vision` that stand for those of the file, under its names. A missing one is
 * left to the tracker's default.
 */
export interface TrackerTuning {
  /** Least overlap (IoU) for a detection to continue a track. */
  readonly iouThreshold?: number;
  /** The same in the second round, of weak detections. */
  readonly lowIouThreshold?: number;
  /** Detections from this score on are strong. */
  readonly highThreshold?: number;
  /** Detections below this score are not looked at. */
  readonly lowThreshold?: number;
  /** Least score to start a track. */
  readonly newTrackThreshold?: number;
  /** Detections in a row before a track gets its id. */
  readonly minHits?: number;
  /** Frames (of the model's rate) that a track outlives its last detection. Times the frame interval: `maxAgeUs`. */
  readonly maxAgeFrames?: number;
  /** A detection that overlaps an object seen in the frame by more than this (IoU) starts no track. */
  readonly maxOverlapToStart?: number;
  /** Tracks at most. */
  readonly maxTracks?: number;
  /** Whether a track keeps to the class of its detections. */
  readonly matchClasses?: boolean;
  /** Of the motion model: deviation of a position, and of the change of a speed, as part of the height of the box. */
  readonly positionNoise?: number;
  readonly velocityNoise?: number;
  /** NvDCF: least similarity of size, least weighted sum of the scores, and their weights. */
  readonly sizeThreshold?: number;
  readonly scoreThreshold?: number;
  readonly overlapWeight?: number;
  readonly sizeWeight?: number;
  readonly responseWeight?: number;
  /** NvDCF: how far around its box an object is looked for, as part of the box's mean side. */
  readonly reach?: number;
}

export type TrackerValue = number | string | readonly number[];

/** The file behind `ll-config-file`. Source: the Gst-nvtracker page of the documentation. */
export interface LowLevelTrackerSpec {
  readonly kind: 'low-level-tracker';
  readonly fileName: string;
  readonly algorithm: NvidiaTracker;
  /** The tracker that stands for it here. */
  readonly runsAs: 'iou' | 'sort' | 'bytetrack' | 'nvdcf';
  /** A sentence for people. */
  readonly runsAsReason: string;
  readonly tuning: TrackerTuning;
  /** Every value of the file that is well formed, by section and key, those without effect here too. */
  readonly values: Readonly<Record<string, Readonly<Record<string, TrackerValue>>>>;
}

export type LowLevelTrackerConfig = ConfigReading<'low-level-tracker', LowLevelTrackerSpec>;
