import type { FrameInsights, FrameObject } from '../frame.ts';
import type { FilterNode } from '../graph.ts';
import type { InsightStage } from './insight-stage.ts';

/** Contract B, `filter_transform`: by label and confidence; attributes are not looked at; frames without objects go on. */
export function createFilter({ labels, minConfidence }: FilterNode): InsightStage {
  const wanted = new Set(labels);
  // Confidences of custom nodes are 32-bit floats: 0.9 arrives as 0.8999999761581421 and still is 90 %.
  const least = Math.fround(minConfidence);
  const keeps = ({ label, confidence }: FrameObject): boolean =>
    (wanted.size === 0 || wanted.has(label)) && (minConfidence <= 0 || Math.fround(confidence) >= least);
  return {
    process: (frame) => (frame.detections.every(keeps) ? frame : withObjects(frame, keeps)),
    reset: () => undefined,
  };
}

/** `parent` is a place in the list: it follows its object, and goes with it. */
function withObjects(frame: FrameInsights, keeps: (object: FrameObject) => boolean): FrameInsights {
  const places = new Map<number, number>();
  frame.detections.forEach((object, place) => {
    if (keeps(object)) places.set(place, places.size);
  });
  const detections = frame.detections
    .filter((_, place) => places.has(place))
    .map((object): FrameObject => {
      if (object.parent === undefined) return object;
      const { parent: before, ...rest } = object;
      const parent = places.get(before);
      return parent === undefined ? rest : { ...rest, parent };
    });
  return { ...frame, detections };
}
