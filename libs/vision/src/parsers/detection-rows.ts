import type { CandidateList } from '../candidates.ts';
import { areFractions } from './scores-boxes.ts';
import { boxesPerCell, dimOf, floatsOf, soleOutput, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParseSettings, TensorInfo } from './types.ts';

/**
 * One output whose rows are finished detections: x1, y1, x2, y2, score, class, in network pixels (or fractions of the
 * picture), as `[batch, rows, 6]` or `[rows, 6]`. Unused rows have score 0.
 */
export const endToEnd: OutputParser = {
  name: 'end-to-end',
  aliases: ['yolov10', 'yolo26', 'NvDsInferParseYoloV10', 'NvDsInferParseCustomYoloV10', 'NvDsInferParseYoloE2E'],
  standsInFor: ['NvDsInferParseYolo'],
  source: 'THU-MIG/yolov10, ultralytics/ultralytics export with nms=True',
  network: { padValue: 114, suppression: 'none' },

  match(outputs) {
    const output = soleOutput(outputs, 3) ?? soleOutput(outputs, 2);
    const rows = output?.dims.at(-2);
    if (output?.dims.at(-1) !== 6 || rows === undefined || rows > 1000) return undefined;
    return {
      score: rows < 0 ? 0.6 : 0.9,
      reason: `one output of ${rows < 0 ? 'any number of' : rows} rows with 6 columns`,
    };
  },

  create: (_outputs, net) => rowsParser(net),
};

/**
 * What the exporters of DeepStream-Yolo make of every model: `[batch, boxes, 6]` with x1, y1, x2, y2, score, class in
 * network pixels, all boxes, suppression still to be done.
 */
export const deepstreamYolo: OutputParser = {
  name: 'deepstream-yolo',
  aliases: ['NvDsInferParseYolo', 'NvDsInferParseYoloCuda'],
  source: 'marcoslucianops/DeepStream-Yolo, utils/export_*.py and nvdsparsebbox_Yolo.cpp',
  network: { padValue: 114, suppression: 'nms' },

  match(outputs, net) {
    const output = soleOutput(outputs, 3);
    const rows = output?.dims[1];
    if (output?.dims[2] !== 6 || rows === undefined) return undefined;
    const grid = rows >= 0 && boxesPerCell(net, rows) !== undefined;
    const reason = `one output of ${rows < 0 ? 'any number of' : rows} rows with 6 columns`;
    // A YOLOX or YOLOv5 of one class has as many columns: this one wins by name only, or when no grid fits.
    if (rows >= 0 && rows <= 1000) return { score: 0.5, reason, suppression: 'none' };
    return { score: grid ? 0.5 : 0.65, reason };
  },

  create: (_outputs, net) => rowsParser(net),
};

function rowsParser(net: NetworkInfo): ParseOutputs {
  return (tensors, batchIndex, settings, into) => {
    const data = floatsOf(tensors, 0);
    const rows = dimOf(tensors, 0, -2);
    const base = batchIndex * rows * 6;
    const fractions = rowsAreFractions(data, base, rows, 6, 0);
    for (let i = 0, at = base; i < rows; i += 1, at += 6) {
      pushRow(into, settings, net, fractions, data, at, data[at + 4] as number, data[at + 5] as number);
    }
  };
}

/**
 * Rows of seven that name the picture of the batch they belong to: `[rows, 7]` = batch, x1, y1, x2, y2, class, score
 * (YOLOv7 end to end), or `[1, 1, rows, 7]` = batch, class, score, x1, y1, x2, y2 in fractions (the DetectionOutput
 * layer of Caffe and OpenVINO; ends at the first row with batch -1).
 */
export const batchRows: OutputParser = {
  name: 'batch-rows',
  aliases: [
    'yolov7-end2end',
    'detection-output',
    'NvDsInferParseCustomSSDOutput',
    'NvDsInferParseCustomDetectionOutput',
  ],
  source: 'WongKinYiu/yolov7, export.py (--end2end); OpenVINO operation DetectionOutput',
  network: { suppression: 'none' },

  match(outputs) {
    const output = soleOutput(outputs, 2) ?? soleOutput(outputs, 4);
    if (output?.dims.at(-1) !== 7) return undefined;
    if (output.dims.length === 4 && output.dims[1] !== 1) return undefined;
    return { score: 0.9, reason: `one output with rows of 7 that start with the picture of the batch` };
  },

  create(outputs: readonly TensorInfo[], net) {
    const layer = outputs[0]?.dims.length === 4;
    return (tensors, batchIndex, settings, into) => {
      const data = floatsOf(tensors, 0);
      const rows = dimOf(tensors, 0, -2);
      const fractions = rowsAreFractions(data, 0, rows, 7, layer ? 3 : 1);
      for (let i = 0, at = 0; i < rows; i += 1, at += 7) {
        const picture = data[at] as number;
        if (picture < 0) break;
        if (picture !== batchIndex) continue;
        const [score, classId] = layer ? [data[at + 2], data[at + 1]] : [data[at + 6], data[at + 5]];
        pushRow(into, settings, net, fractions, data, at + (layer ? 3 : 1), score as number, classId as number);
      }
    };
  },
};

function rowsAreFractions(data: Float32Array, base: number, rows: number, columns: number, corner: number): boolean {
  for (let i = 0, at = base + corner; i < rows; i += 1, at += columns) if (!areFractions(data, at, 1)) return false;
  return rows > 0;
}

function pushRow(
  into: CandidateList,
  settings: ParseSettings,
  net: NetworkInfo,
  fractions: boolean,
  data: Float32Array,
  corner: number,
  score: number,
  classId: number,
): void {
  // Padding rows have score 0 or class -1, whatever the threshold.
  if (score <= 0 || classId < 0 || score < thresholdOf(settings, Math.round(classId))) return;
  const scaleX = fractions ? net.width : 1;
  const scaleY = fractions ? net.height : 1;
  into.push(
    (data[corner] as number) * scaleX,
    (data[corner + 1] as number) * scaleY,
    (data[corner + 2] as number) * scaleX,
    (data[corner + 3] as number) * scaleY,
    score,
    Math.round(classId),
  );
}
