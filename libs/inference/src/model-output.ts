import type { Attribute, Detection, Pose, ScorePeak, SegmentationMap, TensorData, TextReading } from '@vantage/vision';

/** What a model says about one picture or one region of it. Plain data: it crosses threads; big arrays are moved. */
export interface ModelOutput {
  /** Boxes in pixels of the camera's whole frame, best first. */
  readonly detections: readonly Detection[];
  /** What a classifier says, a head after the other. */
  readonly attributes: readonly Attribute[];
  /** Lies over the picture, or the region, that was looked at. */
  readonly segmentation?: SegmentationMap;
  /** Points in pixels of the camera's whole frame. */
  readonly poses?: readonly Pose[];
  /** Length 1. */
  readonly embedding?: Float32Array;
  readonly text?: TextReading;
  /** Outputs as they are (`output-tensor-meta`, `network-type=100`), without the batch dimension. */
  readonly tensors?: readonly TensorData[];
  /** What a custom parser says besides detections, a JSON value. */
  readonly custom?: unknown;
  /** Where it was asked for: the best score of each class, also below its threshold. */
  readonly peaks?: readonly ScorePeak[];
  /** What a custom parser wants drawn: `ParserOverlay` of `@vantage/parser-host`, in pixels of its 1280x720 picture. */
  readonly overlay?: unknown;
}

/** A region of which nothing could be seen. */
export const EMPTY_OUTPUT: ModelOutput = { detections: [], attributes: [] };
