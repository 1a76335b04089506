import { dimOf, floatsOf, isRequested, knownClassCount, thresholdOf } from './shape.ts';
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
      const data = floatsOf(tensors, 0);
      const boxes = dimOf(tensors, 0, head.transposed ? 1 : 2);
      const rows = dimOf(tensors, 0, head.transposed ? 2 : 1);
      const [perBox, step] = head.transposed ? [rows, 1] : [1, boxes];
      into.usePoints(4);
      for (let i = 0, at = batchIndex * boxes * rows; i < boxes; i += 1, at += perBox) {
        let classId = 0;
        let score = data[at + 4 * step] as number;
        for (let c = 1; c < rows - 5; c += 1) {
          const value = data[at + (4 + c) * step] as number;
          if (value > score) {
            score = value;
            classId = c;
          }
        }
        if (score < settings.lowestThreshold || score < thresholdOf(settings, classId)) continue;
        const x = data[at] as number;
        const y = data[at + step] as number;
        const angle = data[at + (rows - 1) * step] as number;
        const cos = Math.cos(angle);
        const sin = Math.sin(angle);
        const ux = (cos * (data[at + 2 * step] as number)) / 2;
        const uy = (sin * (data[at + 2 * step] as number)) / 2;
        const vx = (-sin * (data[at + 3 * step] as number)) / 2;
        const vy = (cos * (data[at + 3 * step] as number)) / 2;
        const halfWidth = Math.abs(ux) + Math.abs(vx);
        const halfHeight = Math.abs(uy) + Math.abs(vy);
        const index = into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId, i);
        if (index < 0) continue;
        into.setPoint(index, 0, x - ux - vx, y - uy - vy);
        into.setPoint(index, 1, x + ux - vx, y + uy - vy);
        into.setPoint(index, 2, x + ux + vx, y + uy + vy);
        into.setPoint(index, 3, x - ux + vx, y - uy + vy);
      }
    };
  },
};
