import { dimOf, floatsOf, isRequested, knownClassCount, logit, sigmoid, soleOutput, thresholdOf } from './shape.ts';
import type { CandidateList } from '../candidates.ts';
import type { NetworkInfo, OutputParser, ParseSettings, ParserMatch, TensorInfo } from './types.ts';

const NANODET = ['nanodet', 'nanodet-plus'] as const;
const STRIDE_SETS: readonly (readonly number[])[] = [
  [8, 16, 32, 64],
  [8, 16, 32],
];
/** Bins of a distance, without 0: NanoDet has 8, YOLOv8 and PP-YOLOE 16 or 17. */
const BINS = [8, 16, 17] as const;

/**
 * Detectors whose four distances (left, top, right, bottom, in strides) are distributions over a few bins (generalised
 * focal loss): the distance is the mean. NanoDet and NanoDet-Plus as one output `[batch, cells, classes + 4 * 8]`, all
 * strides together, with scores; YOLOv8 and its successors without their last step, an output `[batch, 4 * 16 +
 * classes, rows, columns]` a stride, with logits. The middle of a cell is at its corner for NanoDet-Plus (4 strides),
 * else half a stride in.
 */
export const distribution: OutputParser = {
  name: 'distribution-heads',
  aliases: [
    ...NANODET,
    'picodet',
    'yolov8-heads',
    'dfl',
    'gfl',
    'NvDsInferParseNanoDet',
    'NvDsInferParseCustomNanoDet',
  ],
  standsInFor: ['yolov8'],
  source:
    'RangiLyu/nanodet, nanodet/model/head/nanodet_plus_head.py; ultralytics, nn/modules/block.py (DFL); arXiv:2006.04388',
  network: { padValue: 114, suppression: 'nms' },

  match(outputs, net) {
    return matchRows(outputs, net) ?? matchGrids(outputs, net);
  },

  create(outputs, net) {
    const rows = rowsOf(outputs, net);
    if (rows !== undefined) {
      const cells = cellsOf(rows.strides, net);
      return (tensors, batchIndex, settings, into) => {
        const data = floatsOf(tensors, 0);
        const count = dimOf(tensors, 0, 1);
        const columns = dimOf(tensors, 0, 2);
        const shift = rows.strides.length === 4 ? 0 : 0.5;
        const base = batchIndex * count * columns;
        let cell = 0;
        for (const { stride, width, height } of cells) {
          for (let i = 0; i < width * height && cell < count; i += 1, cell += 1) {
            const at = base + cell * columns;
            const plan: Cell = { at, scores: at, boxes: at + rows.classes, step: 1, stride, shift, bins: rows.bins };
            readCell(data, plan, i % width, Math.floor(i / width), rows.classes, true, settings, into);
          }
        }
      };
    }
    const grids = gridsOf(outputs, net);
    if (grids === undefined) throw new RangeError('these outputs are not distributions');
    return (tensors, batchIndex, settings, into) => {
      for (const { index, bins, classes, rows: height, columns: width, stride } of grids) {
        const data = floatsOf(tensors, index);
        const size = height * width;
        const base = batchIndex * (4 * bins + classes) * size;
        const plan = { at: 0, scores: 0, boxes: 0, step: size, stride, shift: 0.5, bins };
        for (let i = 0; i < size; i += 1) {
          plan.at = base + i;
          plan.boxes = base + i;
          plan.scores = base + 4 * bins * size + i;
          readCell(data, plan, i % width, Math.floor(i / width), classes, false, settings, into);
        }
      }
    };
  },
};

interface Cell {
  readonly at: number;
  readonly scores: number;
  readonly boxes: number;
  /** Elements from one value to the next. */
  readonly step: number;
  readonly stride: number;
  readonly shift: number;
  readonly bins: number;
}

function readCell(
  data: Float32Array,
  { scores, boxes, step, stride, shift, bins }: Cell,
  column: number,
  row: number,
  classes: number,
  done: boolean,
  settings: ParseSettings,
  into: CandidateList,
): void {
  let classId = 0;
  let best = data[scores] as number;
  for (let c = 1; c < classes; c += 1) {
    const value = data[scores + c * step] as number;
    if (value > best) {
      best = value;
      classId = c;
    }
  }
  if (best < (done ? settings.lowestThreshold : logit(settings.lowestThreshold))) return;
  const score = done ? best : sigmoid(best);
  if (score < thresholdOf(settings, classId)) return;
  const x = (column + shift) * stride;
  const y = (row + shift) * stride;
  into.push(
    x - meanBin(data, boxes, bins, step) * stride,
    y - meanBin(data, boxes + bins * step, bins, step) * stride,
    x + meanBin(data, boxes + 2 * bins * step, bins, step) * stride,
    y + meanBin(data, boxes + 3 * bins * step, bins, step) * stride,
    score,
    classId,
  );
}

/** Mean of a softmax over `bins` logits. */
export function meanBin(data: Float32Array, at: number, bins: number, step: number): number {
  let largest = -Infinity;
  for (let i = 0; i < bins; i += 1) largest = Math.max(largest, data[at + i * step] as number);
  let total = 0;
  let sum = 0;
  for (let i = 0; i < bins; i += 1) {
    const weight = Math.exp((data[at + i * step] as number) - largest);
    total += weight;
    sum += weight * i;
  }
  return sum / total;
}

interface Rows {
  readonly strides: readonly number[];
  readonly classes: number;
  readonly bins: number;
}

function cellsOf(strides: readonly number[], net: NetworkInfo): { stride: number; width: number; height: number }[] {
  return strides.map((stride) => ({
    stride,
    width: Math.ceil(net.width / stride),
    height: Math.ceil(net.height / stride),
  }));
}

function rowsOf(outputs: readonly TensorInfo[], net: NetworkInfo): Rows | undefined {
  const [, count = 0, columns = 0] = soleOutput(outputs, 3)?.dims ?? [];
  const strides = STRIDE_SETS.find(
    (set) => cellsOf(set, net).reduce((sum, { width, height }) => sum + width * height, 0) === count,
  );
  const [bins] = BINS;
  if (strides === undefined || columns < 4 * bins + 1) return undefined;
  return { strides, classes: columns - 4 * bins, bins };
}

function matchRows(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const rows = rowsOf(outputs, net);
  if (rows === undefined) return undefined;
  const known = knownClassCount(net);
  const fits = isRequested(net, ...NANODET) || known === rows.classes || (known === undefined && rows.classes === 80);
  return {
    score: fits ? 0.93 : 0.3,
    reason: `cells of strides ${rows.strides.join(', ')} with ${rows.classes} classes and 4 distributions of 8`,
  };
}

interface Grid {
  readonly index: number;
  readonly bins: number;
  readonly classes: number;
  readonly rows: number;
  readonly columns: number;
  readonly stride: number;
}

function gridsOf(outputs: readonly TensorInfo[], net: NetworkInfo): Grid[] | undefined {
  if (outputs.length < 3 || outputs.length > 4) return undefined;
  const known = knownClassCount(net);
  const channels = outputs[0]?.dims[1] ?? 0;
  const bins = known === undefined ? 16 : BINS.find((count) => 4 * count + known === channels);
  if (bins === undefined || channels <= 4 * bins) return undefined;
  const grids: Grid[] = [];
  for (const [index, { dims }] of outputs.entries()) {
    const [, own, rows = 0, columns = 0] = dims;
    const stride = net.width / columns;
    if (dims.length !== 4 || own !== channels || net.height / rows !== stride || ![8, 16, 32, 64].includes(stride)) {
      return undefined;
    }
    grids.push({ index, bins, classes: channels - 4 * bins, rows, columns, stride });
  }
  return grids;
}

function matchGrids(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const grids = gridsOf(outputs, net);
  const [first] = grids ?? [];
  if (grids === undefined || first === undefined) return undefined;
  const sure = knownClassCount(net) !== undefined || first.classes === 80;
  return {
    score: sure ? 0.92 : 0.4,
    reason: `${grids.length} grids with 4 distributions of ${first.bins} and ${first.classes} classes`,
  };
}
