import { isRequested, knownClassCount, sigmoid } from './shape.ts';
import { eachSureRow } from './yolo-rows.ts';
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
      into.usePoints(points, true);
      const shape = { transposed: head.transposed, behind: 3 * points };
      eachSureRow(tensors, batchIndex, shape, settings, ({ data, at, step, rest, index: box, classId, score }) => {
        const x = data[at] as number;
        const y = data[at + step] as number;
        const halfWidth = (data[at + 2 * step] as number) / 2;
        const halfHeight = (data[at + 3 * step] as number) / 2;
        const index = into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId, box);
        if (index < 0) return;
        for (let p = 0; p < points; p += 1) {
          const from = rest + 3 * p * step;
          const seen = data[from + 2 * step] as number;
          const sure = seen >= 0 && seen <= 1 ? seen : sigmoid(seen);
          into.setKeypoint(index, p, data[from] as number, data[from + step] as number, sure);
        }
      });
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
