import { boxesPerCell, dimOf, floatsOf, knownClassCount, soleOutput, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParserMatch, TensorInfo } from './types.ts';

/** Four corners of a plate (top left, top right, bottom right, bottom left) or five points of a face. */
const POINT_COUNTS = [4, 5];

/**
 * YOLOv5 with points, decoded: `[batch, boxes, 5 + 2 * points + classes]`, points in network pixels between
 * objectness and classes; score = objectness * class. The number of points follows from the number of classes.
 */
export const yolov5Landmarks: OutputParser = {
  name: 'yolov5-landmarks',
  aliases: ['yolov5-plate', 'yolov5-face', 'hyperlpr', 'NvDsInferParseCustomYoloV5Face', 'NvDsInferParseYoloFace'],
  source: 'szad670401/HyperLPR (y5fu models) and deepcam-cn/yolov5-face, models/yolo.py',
  network: { padValue: 0, suppression: 'nms' },
  match,
  create,
};

function pointCount(columns: number, classes: number): number | undefined {
  return POINT_COUNTS.find((points) => columns === 5 + 2 * points + classes);
}

function match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const [, boxes, columns] = soleOutput(outputs, 3)?.dims ?? [];
  const classes = knownClassCount(net);
  if (boxes === undefined || columns === undefined || classes === undefined) return undefined;
  const points = pointCount(columns, classes);
  if (points === undefined || (boxes >= 0 && boxesPerCell(net, boxes) === undefined)) return undefined;
  return {
    score: 0.85,
    reason: `one output with ${columns} = 5 + 2 x ${points} points + ${classes} classes columns`,
  };
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const classes = knownClassCount(net) ?? 1;
  const points = pointCount(outputs[0]?.dims[2] ?? 0, classes) ?? 0;
  return (tensors, batchIndex, settings, into) => {
    const data = floatsOf(tensors, 0);
    const boxes = dimOf(tensors, 0, 1);
    const columns = dimOf(tensors, 0, 2);
    const firstClass = 5 + 2 * points;
    into.usePoints(points);
    let at = batchIndex * boxes * columns;
    for (let i = 0; i < boxes; i += 1, at += columns) {
      const objectness = data[at + 4] as number;
      if (objectness < settings.lowestThreshold) continue;
      let classId = 0;
      let best = data[at + firstClass] as number;
      for (let c = 1; c < classes; c += 1) {
        const value = data[at + firstClass + c] as number;
        if (value > best) {
          best = value;
          classId = c;
        }
      }
      const score = objectness * best;
      if (score < thresholdOf(settings, classId)) continue;
      const halfWidth = (data[at + 2] as number) / 2;
      const halfHeight = (data[at + 3] as number) / 2;
      const x = data[at] as number;
      const y = data[at + 1] as number;
      const index = into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId);
      if (index < 0) continue;
      for (let p = 0; p < points; p += 1) {
        into.setPoint(index, p, data[at + 5 + 2 * p] as number, data[at + 6 + 2 * p] as number);
      }
    }
  };
}
