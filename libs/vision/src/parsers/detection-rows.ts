import type { CandidateList } from '../candidates.ts';
import { prototypeMasks, prototypesOf } from './masks.ts';
import { areFractions } from './scores-boxes.ts';
import { boxesPerCell, dimOf, floatsOf, knownClassCount, soleOutput, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParseSettings, TensorInfo } from './types.ts';

/**
 * One output whose rows are finished detections: x1, y1, x2, y2, score, class, in network pixels (or fractions of the
 * picture), as `[batch, rows, 6]` or `[rows, 6]`. Unused rows have score 0. Behind the six there may be three values
 * for each of at least four keypoints, or the mask coefficients of a second output of prototypes.
 */
export const endToEnd: OutputParser = {
  name: 'end-to-end',
  aliases: ['yolov10', 'yolo26', 'NvDsInferParseYoloV10', 'NvDsInferParseCustomYoloV10', 'NvDsInferParseYoloE2E'],
  standsInFor: ['NvDsInferParseYolo'],
  source: 'THU-MIG/yolov10, ultralytics/ultralytics export with nms=True',
  network: { padValue: 114, suppression: 'none' },

  match(outputs, net) {
    const { index, columns, extras } = endToEndOf(outputs);
    const rows = outputs[index]?.dims.at(-2);
    if (rows === undefined || rows > 1000 || extras === undefined) return undefined;
    if (extras === 'keypoints' && rows !== 300 && rows !== 100) return undefined;
    // Other heads have as many columns: only COCO's 17 points are telling.
    const sure =
      extras === 'keypoints'
        ? columns === 57 && knownClassCount(net) !== columns - 4
        : // As many rows as a grid has cells: a YOLOX of one class with a small input.
          rows >= 0 && boxesPerCell(net, rows) === undefined;
    return {
      score: sure ? 0.9 : 0.55,
      reason: `one output of ${rows < 0 ? 'any number of' : rows} rows with ${columns} columns`,
    };
  },

  create(outputs, net) {
    const { index, columns, extras } = endToEndOf(outputs);
    return rowsParser(net, index, columns, extras === 'keypoints' ? (columns - 6) / 3 : 0);
  },

  createMasks(outputs, net) {
    const { index, extras } = endToEndOf(outputs);
    if (extras !== 'masks') return undefined;
    return prototypeMasks(outputs, net, index, (dims, batchIndex, row) => {
      const [, rows = 0, columns = 0] = dims;
      return { at: (batchIndex * rows + row) * columns + 6, step: 1 };
    });
  },
};

/** What comes after the six columns of a row; undefined extras: the rows are something else. */
function endToEndOf(outputs: readonly TensorInfo[]): {
  index: number;
  columns: number;
  extras: 'nothing' | 'keypoints' | 'masks' | undefined;
} {
  const sole = soleOutput(outputs, 3) ?? soleOutput(outputs, 2);
  const index = sole === undefined ? outputs.findIndex(({ dims }) => dims.length === 3) : 0;
  const columns = outputs[index]?.dims.at(-1) ?? 0;
  const prototypes = sole === undefined && outputs.length === 2 ? prototypesOf(outputs)?.count : undefined;
  if (prototypes !== undefined) return { index, columns, extras: columns === 6 + prototypes ? 'masks' : undefined };
  if (sole === undefined) return { index, columns, extras: undefined };
  const points = (columns - 6) / 3;
  if (columns === 6) return { index, columns, extras: 'nothing' };
  return { index, columns, extras: Number.isInteger(points) && points >= 4 ? 'keypoints' : undefined };
}

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

  create: (_outputs, net) => rowsParser(net, 0, 6, 0),
};

function rowsParser(net: NetworkInfo, output: number, columns: number, points: number): ParseOutputs {
  return (tensors, batchIndex, settings, into) => {
    const data = floatsOf(tensors, output);
    const rows = dimOf(tensors, output, -2);
    const base = batchIndex * rows * columns;
    const fractions = rowsAreFractions(data, base, rows, columns, 0);
    if (points > 0) into.usePoints(points, true);
    for (let i = 0, at = base; i < rows; i += 1, at += columns) {
      const score = data[at + 4] as number;
      const index = pushRow(into, settings, net, fractions, data, at, score, data[at + 5] as number, i);
      for (let p = 0; p < points && index >= 0; p += 1) {
        const from = at + 6 + 3 * p;
        const x = (data[from] as number) * (fractions ? net.width : 1);
        const y = (data[from + 1] as number) * (fractions ? net.height : 1);
        into.setKeypoint(index, p, x, y, data[from + 2] as number);
      }
    }
  };
}

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
  row: number,
): number {
  // Padding rows have score 0 or class -1, whatever the threshold.
  if (score <= 0 || classId < 0 || score < thresholdOf(settings, Math.round(classId))) return -1;
  const scaleX = fractions ? net.width : 1;
  const scaleY = fractions ? net.height : 1;
  return into.push(
    (data[corner] as number) * scaleX,
    (data[corner + 1] as number) * scaleY,
    (data[corner + 2] as number) * scaleX,
    (data[corner + 3] as number) * scaleY,
    score,
    Math.round(classId),
    row,
  );
}
