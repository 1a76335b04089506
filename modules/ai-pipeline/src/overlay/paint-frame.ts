import type { DetectionEntry, RegionOfInterest } from '@vantage/contracts';
import { classColour, paintObjects, paintRegions, type Canvas, type PaintedObject } from '@vantage/vision';
import type { ClipFrameInsights } from './clip-frames.ts';

/** Lines about the frame as a whole. */
const MAX_LINES = 8;

/** Paints what is known about a frame into its picture: regions, maps of classes, boxes with what is known of each. */
export function paintFrame(
  canvas: Canvas,
  { detections, segmentations, lines }: ClipFrameInsights,
  regions: readonly RegionOfInterest[],
): void {
  const { width, height } = canvas;
  for (const map of segmentations) {
    canvas.tint(map, { left: 0, top: 0, width, height }, (cell) => {
      const classId = map.classMap[cell] ?? -1;
      // Class 0 is the background of most.
      return classId > 0 ? classColour(classId) : undefined;
    });
  }
  paintRegions(canvas, regions);
  paintObjects(
    canvas,
    detections.map((entry) => inPixels(entry, width, height)),
  );
  for (const [at, line] of lines.slice(0, MAX_LINES).entries()) {
    canvas.label(line, 0, at * canvas.lineHeight, [255, 255, 255]);
  }
}

function inPixels(entry: DetectionEntry, width: number, height: number): PaintedObject {
  const { rect, classId, label, confidence, tracking_id: trackingId, attributes, text, keypoints, points } = entry;
  const [left, top, across, down] = rect;
  return {
    ...{ classId, label, confidence, trackingId },
    box: { left: left * width, top: top * height, width: across * width, height: down * height },
    attributes: (attributes ?? []).map(({ unique_component_id: componentId, ...one }) => ({ ...one, componentId })),
    ...(text ? { text } : {}),
    ...(keypoints ? { keypoints: keypoints.map(([x, y, score]) => ({ x: x * width, y: y * height, score })) } : {}),
    ...(points ? { points: points.map(([x, y]) => ({ x: x * width, y: y * height })) } : {}),
  };
}
