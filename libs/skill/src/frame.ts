import type { AnalyticsResult } from './analytics/analytics.ts';
import type { Attribute, Detection, SegmentationMap, TensorData, TextReading, ViewFault } from '@vantage/vision';

/** A detection with what secondary models said about it. */
export interface FrameObject extends Detection {
  /** Place in the same list of the object it was found on, by a secondary detector. */
  readonly parent?: number;
  /** What a secondary's custom parser said: a JSON value. */
  readonly customInfo?: unknown;
  readonly text?: TextReading;
  /** Length 1. */
  readonly embedding?: Float32Array;
  /** Outputs of a secondary model that nobody reads here. */
  readonly tensors?: readonly TensorData[];
  /** `inference_id` that a custom node gave. */
  readonly inferenceId?: string;
  /** Milliseconds since the Unix epoch, where a custom node gave the object a time of its own. */
  readonly timeMs?: number;
  /** Metres (or, without a scale, pixels) a second and the direction of the movement as a unit vector in the picture. */
  readonly motion?: { readonly speed: number; readonly direction: { readonly x: number; readonly y: number } };
  /** `tracking_id` of a custom node that is no number of ours. */
  readonly foreignTrackingId?: string;
}

/** What a rule or a custom node says happened (`EventMeta`). */
export interface InsightEvent {
  readonly type: string;
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** Track or inference ids of the objects it is about. */
  readonly relatedIds: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** What is known about one frame of one camera. Pixels stay where they were decoded; this is what travels. */
export interface FrameInsights {
  readonly sensor: string;
  /** Counts the camera's frames since it was opened, dropped ones included. */
  readonly frameId: number;
  /** The frame's own time in its stream, microseconds. Trackers, rules and clips go by this clock. */
  readonly ptsUs: number;
  /** When the frame was captured, milliseconds since the Unix epoch. */
  readonly captureTimeMs: number;
  /** Size in pixels of the frame that boxes and regions refer to: the camera's, or the dewarped one. */
  readonly width: number;
  readonly height: number;
  /** Boxes in pixels of the whole frame. */
  readonly detections: readonly FrameObject[];
  /** What models of the other kinds say about the frame as a whole. */
  readonly classifications?: readonly Attribute[];
  readonly segmentation?: SegmentationMap;
  readonly text?: TextReading;
  /** Length 1. */
  readonly embedding?: Float32Array;
  readonly tensors?: readonly TensorData[];
  /** Message of the primary's custom parser: a JSON value. */
  readonly custom?: unknown;
  /** What the rules of the pipeline's nvdsanalytics file say. */
  readonly analytics?: AnalyticsResult;
  /** In the order in which nodes said so. */
  readonly events?: readonly InsightEvent[];
  /** `other_meta` of custom nodes, and figures of rules. */
  readonly properties?: Readonly<Record<string, string>>;
  /** What is wrong with the camera's view; absent: nothing. What rules say of it is worth less. */
  readonly view?: ViewFault;
  /** The model did not look at this frame (`interval`): the tracker says where the objects are. */
  readonly predicted?: boolean;
}
