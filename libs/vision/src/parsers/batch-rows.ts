import { areFractions } from './scores-boxes.ts';
import { dimOf, floatsOf, isRequested, numberAt, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, TensorData, TensorInfo } from './types.ts';

/** Columns of the first corner, the class and the score. */
type Order = readonly [corner: number, classId: number, score: number];
const YOLOV7: Order = [1, 5, 6];
const YOLO_NAS: Order = [1, 6, 5];
const DETECTION_OUTPUT: Order = [3, 1, 2];

/**
 * Rows of seven that name the picture of the batch they belong to: `[rows, 7]` = batch, x1, y1, x2, y2, class, score
 * (YOLOv7 end to end) or ... score, class (YOLO-NAS, `flat_predictions`); or `[batch or 1, 1, rows, 7]` = batch, class,
 * score, x1, y1, x2, y2 in fractions (the DetectionOutput layer of Caffe and OpenVINO, TAO's NMS with the number of
 * rows as a second output); ends at the first row with batch -1.
 */
export const batchRows: OutputParser = {
  name: 'batch-rows',
  aliases: [
    'yolov7-end2end',
    'yolo-nas-flat',
    'detection-output',
    'NvDsInferParseCustomNMSTLT',
    'NvDsInferParseCustomFrcnnTLT',
    'NvDsInferParseCustomSSDOutput',
    'NvDsInferParseCustomDetectionOutput',
  ],
  standsInFor: ['NvDsInferParseCustomSSD', 'yolo-nas'],
  source: 'WongKinYiu/yolov7, export.py (--end2end); OpenVINO operation DetectionOutput; NVIDIA NMS plugin',
  network: { suppression: 'none' },

  match(outputs) {
    if (partsOf(outputs) === undefined) return undefined;
    return { score: 0.9, reason: `one output with rows of 7 that start with the picture of the batch` };
  },

  create(outputs, net) {
    const parts = partsOf(outputs);
    if (parts === undefined) throw new RangeError('these outputs are not rows of seven');
    const [corner, classColumn, scoreColumn] = orderOf(outputs, parts.rows, net);
    return (tensors, batchIndex, settings, into) => {
      const data = floatsOf(tensors, parts.rows);
      const dims = tensors[parts.rows]?.dims ?? [];
      // With a batch in front each picture has its own rows.
      const own = dims.length === 4 && (dims[0] ?? 1) > 1;
      const rows = dimOf(tensors, parts.rows, -2);
      const counts = parts.count === undefined ? undefined : (tensors[parts.count] as TensorData);
      const used = counts === undefined ? rows : Math.min(rows, numberAt(counts, own ? batchIndex : 0));
      const base = own ? batchIndex * rows * 7 : 0;
      let fractions = used > 0;
      for (let i = 0; i < used && fractions; i += 1) fractions = areFractions(data, base + i * 7 + corner, 1);
      const scaleX = fractions ? net.width : 1;
      const scaleY = fractions ? net.height : 1;
      for (let i = 0, at = base; i < used; i += 1, at += 7) {
        const picture = data[at] as number;
        if (picture < 0) break;
        if (!own && picture !== batchIndex) continue;
        const score = data[at + scoreColumn] as number;
        const classId = Math.round(data[at + classColumn] as number);
        if (score <= 0 || classId < 0 || score < thresholdOf(settings, classId)) continue;
        const box = at + corner;
        into.push(
          (data[box] as number) * scaleX,
          (data[box + 1] as number) * scaleY,
          (data[box + 2] as number) * scaleX,
          (data[box + 3] as number) * scaleY,
          score,
          classId,
          i,
        );
      }
    };
  },
};

function partsOf(outputs: readonly TensorInfo[]): { rows: number; count: number | undefined } | undefined {
  if (outputs.length < 1 || outputs.length > 2) return undefined;
  const rows = outputs.findIndex(
    ({ dims }) => dims.at(-1) === 7 && (dims.length === 2 || (dims.length === 4 && dims[1] === 1)),
  );
  if (rows < 0) return undefined;
  if (outputs.length === 1) return { rows, count: undefined };
  const count = 1 - rows;
  return outputs[count]?.dims.every((dim, axis) => dim === 1 || (axis === 0 && dim < 0)) ? { rows, count } : undefined;
}

function orderOf(outputs: readonly TensorInfo[], rows: number, net: NetworkInfo): Order {
  const { name = '', dims = [] } = outputs[rows] ?? {};
  if (dims.length === 4) return DETECTION_OUTPUT;
  if (isRequested(net, 'NvDsInferParseCustomNMSTLT', 'detection-output')) return DETECTION_OUTPUT;
  return /flat_predictions/.test(name) || isRequested(net, 'yolo-nas', 'yolo-nas-flat') ? YOLO_NAS : YOLOV7;
}
