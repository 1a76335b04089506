import { dimOf, floatsOf, isRequested, knownClassCount, sigmoid, thresholdOf } from './shape.ts';
import { yoloHeadOf } from './yolov8.ts';
import type { NetworkInfo, OutputParser, TensorInfo } from './types.ts';

const FEWEST_POINTS = 4;

/**
 * YOLOv8-pose and its successors: `[batch, 4 + classes + 3 * points, boxes]` or the same transposed; behind the class
 * scores x, y (network pixels) and visibility of each point. COCO's people have one class and 17 points: 56 rows.
 */
export const yoloPose: OutputParser = {
  name: 'yolov8-pose',
  aliases: ['yolo-pose', 'yolo11-pose', 'yolov8-face', 'NvDsInferParseYoloPose', 'NvDsInferParseCustomYoloV8Pose'],
  source: 'ultralytics/ultralytics, nn/modules/head.py (Pose)',
  network: { padValue: 114, suppression: 'nms' },

  match(outputs, net) {
    const head = yoloHeadOf(outputs, net);
    const points = pointsOf(outputs, net);
    if (head === undefined || points === undefined || outputs.length !== 1) return undefined;
    const classes = head.rows - 4 - 3 * points;
    return { score: 0.93, reason: `an output of ${head.rows} = 4 + ${classes} classes + 3 x ${points} points` };
  },

  create(outputs, net) {
    const head = yoloHeadOf(outputs, net);
    const points = pointsOf(outputs, net);
    if (head === undefined || points === undefined) throw new RangeError('these outputs are not those of a pose head');
    return (tensors, batchIndex, settings, into) => {
      const data = floatsOf(tensors, 0);
      const boxes = dimOf(tensors, 0, head.transposed ? 1 : 2);
      const rows = dimOf(tensors, 0, head.transposed ? 2 : 1);
      const [perBox, step] = head.transposed ? [rows, 1] : [1, boxes];
      const classes = rows - 4 - 3 * points;
      into.usePoints(points, true);
      for (let i = 0, at = batchIndex * boxes * rows; i < boxes; i += 1, at += perBox) {
        let classId = 0;
        let score = data[at + 4 * step] as number;
        for (let c = 1; c < classes; c += 1) {
          const value = data[at + (4 + c) * step] as number;
          if (value > score) {
            score = value;
            classId = c;
          }
        }
        if (score < settings.lowestThreshold || score < thresholdOf(settings, classId)) continue;
        const x = data[at] as number;
        const y = data[at + step] as number;
        const halfWidth = (data[at + 2 * step] as number) / 2;
        const halfHeight = (data[at + 3 * step] as number) / 2;
        const index = into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId, i);
        if (index < 0) continue;
        for (let p = 0; p < points; p += 1) {
          const from = at + (4 + classes + 3 * p) * step;
          const seen = data[from + 2 * step] as number;
          const sure = seen >= 0 && seen <= 1 ? seen : sigmoid(seen);
          into.setKeypoint(index, p, data[from] as number, data[from + step] as number, sure);
        }
      }
    };
  },
};

function pointsOf(outputs: readonly TensorInfo[], net: NetworkInfo): number | undefined {
  const head = yoloHeadOf(outputs, net);
  if (head === undefined) return undefined;
  const known = knownClassCount(net);
  const asked = isRequested(net, yoloPose.name, ...yoloPose.aliases);
  if (known === undefined && head.rows !== 56 && !asked) return undefined;
  const points = (head.rows - 4 - (known ?? 1)) / 3;
  return Number.isInteger(points) && points >= FEWEST_POINTS ? points : undefined;
}
