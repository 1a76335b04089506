import type { DetectionEntry, InferenceEvent } from '@vantage/contracts';
import type { FrameInsights } from '@vantage/skill';
import { toEvents, toInferences } from '../frame-inferences.ts';

/** What is seen in one frame, as those who watch are told. */
export interface LiveInsights {
  readonly type: 'insights';
  /** Of the frame in the fragments: where its picture is shown. */
  readonly ptsUs: number;
  readonly timeMs: number;
  readonly frameId: number;
  readonly width: number;
  readonly height: number;
  /** As in messages (contract C.2). */
  readonly detections: readonly DetectionEntry[];
  readonly events: readonly InferenceEvent[];
  /** What models and nodes say of the frame as a whole; absent where they say nothing. */
  readonly custom?: readonly unknown[];
}

export function liveInsights(pipeline: string, frame: FrameInsights): LiveInsights {
  const { ptsUs, captureTimeMs, frameId, width, height } = frame;
  const inferences = toInferences(pipeline, frame);
  const custom = inferences.flatMap(({ type, detections }) => (type === 'custom' ? detections : []));
  return {
    type: 'insights',
    ...{ ptsUs, timeMs: captureTimeMs, frameId, width, height },
    detections: inferences.flatMap((one) => (one.type === 'detection' ? one.detections : [])),
    events: toEvents(frame),
    ...(custom.length > 0 ? { custom } : {}),
  };
}
