import { isRequested, knownClassCount } from './shape.ts';
import { eachSureRow } from './yolo-rows.ts';
import { yoloHeadOf } from './yolov8.ts';
import type { OutputParser } from './types.ts';

/**
 * YOLOv8-obb and its successors: `[batch, 4 + classes + 1, boxes]`, the last row the angle in radians. A detection's box
 * encloses the turned one, whose corners are its points: top left first, clockwise, before turning. Suppression looks
 * at the enclosing boxes.
 */
export const yoloObb: OutputParser = {
  name: 'yolov8-obb',
  aliases: ['yolo-obb', 'yolo11-obb', 'NvDsInferParseCustomYoloV11OBB', 'NvDsInferParseCustomYoloV8OBB'],
  source: 'ultralytics/ultralytics, nn/modules/head.py (OBB)',
  network: { padValue: 114, suppression: 'nms' },

  match(outputs, net) {
    const head = yoloHeadOf(outputs, net);
    if (head === undefined || outputs.length !== 1 || head.rows < 6) return undefined;
    const known = knownClassCount(net);
    if (known !== head.rows - 5 && !isRequested(net, yoloObb.name, ...yoloObb.aliases)) return undefined;
    // A YOLOX or YOLOv5 has 5 + classes too, in rows.
    const score = head.transposed ? 0.3 : 0.85;
    return { score, reason: `an output of ${head.rows} = 4 + ${head.rows - 5} classes + 1 angle` };
  },

  create(outputs, net) {
    const head = yoloHeadOf(outputs, net);
    if (head === undefined) throw new RangeError('these outputs are not those of a head with turned boxes');
    return (tensors, batchIndex, settings, into) => {
      into.usePoints(4);
      const shape = { transposed: head.transposed, behind: 1 };
      eachSureRow(tensors, batchIndex, shape, settings, ({ data, at, step, rest, index: box, classId, score }) => {
        const x = data[at] as number;
        const y = data[at + step] as number;
        const angle = data[rest] as number;
        const cos = Math.cos(angle);
        const sin = Math.sin(angle);
        const ux = (cos * (data[at + 2 * step] as number)) / 2;
        const uy = (sin * (data[at + 2 * step] as number)) / 2;
        const vx = (-sin * (data[at + 3 * step] as number)) / 2;
        const vy = (cos * (data[at + 3 * step] as number)) / 2;
        const halfWidth = Math.abs(ux) + Math.abs(vx);
        const halfHeight = Math.abs(uy) + Math.abs(vy);
        const index = into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId, box);
        if (index < 0) return;
        into.setPoint(index, 0, x - ux - vx, y - uy - vy);
        into.setPoint(index, 1, x + ux - vx, y + uy - vy);
        into.setPoint(index, 2, x + ux + vx, y + uy + vy);
        into.setPoint(index, 3, x - ux + vx, y - uy + vy);
      });
    };
  },
};
