import type { ModelOutput } from '@vantage/inference';
import type { FrameInsights, FrameObject } from '@vantage/skill';
import { poseDetection } from '@vantage/vision';

/** Everything of a frame that is an object with a box: what was detected, and bodies, which are objects with joints. */
export function objectsOf({ detections, poses }: ModelOutput, labels: readonly string[]): readonly FrameObject[] {
  if (!poses || poses.length === 0) return detections;
  return [...detections, ...poses.map((pose) => poseDetection(pose, 0, labels[0] ?? 'person'))];
}

/** What a model says about the frame as a whole. */
export function frameParts(output: ModelOutput): Partial<FrameInsights> {
  const { attributes, segmentation, text, embedding, tensors, custom } = output;
  return {
    ...(attributes.length > 0 ? { classifications: attributes } : {}),
    ...(segmentation ? { segmentation } : {}),
    ...(text ? { text } : {}),
    ...(embedding ? { embedding } : {}),
    ...(tensors ? { tensors } : {}),
    ...(custom === undefined || custom === null ? {} : { custom }),
  };
}
