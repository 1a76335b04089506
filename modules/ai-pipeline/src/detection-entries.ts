import type { DetectionEntry } from '@vantage/contracts';
import type { FrameInsights, FrameObject } from '@vantage/skill';
import { round } from './round.ts';

/** An object as messages carry it: places are fractions of the frame. */
export function toDetection(
  object: FrameObject,
  { width, height }: Pick<FrameInsights, 'width' | 'height'>,
  id: string,
  parentId: string | undefined,
): DetectionEntry {
  const { box, attributes, text, keypoints, points, embedding, customInfo } = object;
  const x = (pixels: number): number => round(pixels / width, 5);
  const y = (pixels: number): number => round(pixels / height, 5);
  return {
    classId: object.classId,
    confidence: round(object.confidence, 4),
    label: object.label,
    rect: [x(box.left), y(box.top), x(box.width), y(box.height)],
    id,
    unique_component_id: object.componentId,
    tracking_id: object.trackingId,
    ...(customInfo === undefined ? {} : { customInfo }),
    ...(attributes.length > 0
      ? {
          attributes: attributes.map(({ name, label, classId, confidence, componentId }) => ({
            name,
            label,
            classId,
            confidence: round(confidence, 4),
            unique_component_id: componentId,
          })),
        }
      : {}),
    ...(text ? { text: { text: text.text, confidence: round(text.score, 4) } } : {}),
    ...(keypoints
      ? {
          keypoints: keypoints.map((point): [number, number, number] => [
            x(point.x),
            y(point.y),
            round(point.score, 4),
          ]),
        }
      : {}),
    ...(points ? { points: points.map((point): [number, number] => [x(point.x), y(point.y)]) } : {}),
    ...(embedding ? { embedding: Array.from(embedding, (value) => round(value, 5)) } : {}),
    ...(parentId === undefined ? {} : { parentId }),
  };
}
