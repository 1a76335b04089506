import type { Attribute, Box, Detection, Keypoint } from './detection.ts';

/** What a model of any kind says about a picture, or about the part of it that it was shown. */
export type ModelResult =
  | { readonly task: 'detection'; readonly detections: readonly Detection[] }
  | { readonly task: 'classification'; readonly classifications: readonly Classification[] }
  | { readonly task: 'segmentation'; readonly map: SegmentationMap }
  | { readonly task: 'pose'; readonly poses: readonly Pose[] }
  | { readonly task: 'embedding'; readonly embedding: Embedding }
  | { readonly task: 'text'; readonly readings: readonly TextReading[] }
  | { readonly task: 'tensors'; readonly tensors: readonly RawTensor[] };

export type OutputTask = ModelResult['task'];

/** A label with its score. `name` is the head (output) that gave it, or the configured type of the classifier. */
export type Classification = Attribute;

/** A class for each cell of a grid that lies over the whole picture (padding is cut off). */
export interface SegmentationMap {
  readonly width: number;
  readonly height: number;
  /** Row by row; -1 where no class reaches the threshold. */
  readonly classes: Int16Array;
  /** Classes that occur, largest first. `share` is the part of the cells, 0 to 1. */
  readonly areas: readonly { readonly classId: number; readonly label: string; readonly share: number }[];
  readonly componentId: number;
}

/** One body (or face, or hand): points in pixels of the source picture, in the order of the model. */
export interface Pose {
  /** Mean score of the points that were found, 0 to 1. */
  readonly score: number;
  /** Around the points that were found. */
  readonly box: Box;
  readonly keypoints: readonly Keypoint[];
  /** Names of the points, as many as `keypoints`; empty when the layout has none. */
  readonly names: readonly string[];
  readonly componentId: number;
}

/** What an object looks like, as a direction: compare two with a dot product. */
export interface Embedding {
  /** Length 1. All zeros when the model gave none (zeros or numbers that are not finite). */
  readonly values: Float32Array;
  /** Length before normalisation. */
  readonly norm: number;
  readonly componentId: number;
}

/** A line of text. */
export interface TextReading {
  readonly text: string;
  /** Mean score of the characters, 0 to 1; 0 for an empty text. */
  readonly score: number;
  readonly componentId: number;
}

/** An output as the model gave it, one picture of the batch. A view into the model's memory: copy to keep it. */
export interface RawTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly type: string;
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** Cosine of two embeddings of the same model; 0 when their lengths differ. */
export function similarity(a: Embedding, b: Embedding): number {
  if (a.values.length !== b.values.length) return 0;
  let sum = 0;
  for (let i = 0; i < a.values.length; i += 1) sum += (a.values[i] as number) * (b.values[i] as number);
  return sum;
}

/** A pose as a detection, for trackers, zones and messages. */
export function poseDetection(pose: Pose, classId: number, label: string): Detection {
  return {
    classId,
    label,
    confidence: pose.score,
    box: pose.box,
    trackingId: -1,
    componentId: pose.componentId,
    attributes: [],
    keypoints: pose.keypoints,
  };
}
