import { dimOf, floatsOf, isRequested, knownClassCount, sigmoid, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParserMatch, TensorData, TensorInfo } from './types.ts';

const PER_CELL = 3;

/** Anchors in network pixels, smallest stride first; `scaleXY` as darknet's `scale_x_y`, by stride. */
interface Family {
  readonly anchors: readonly (readonly number[])[];
  readonly scaleXY: readonly number[];
  /** YOLOv5 and v7: centre = 2s - 0.5, size = (2s)^2 * anchor, instead of s and exp. */
  readonly squared: boolean;
}

const V3: Family = {
  anchors: [
    [10, 13, 16, 30, 33, 23],
    [30, 61, 62, 45, 59, 119],
    [116, 90, 156, 198, 373, 326],
  ],
  scaleXY: [1, 1, 1],
  squared: false,
};
const V4: Family = {
  anchors: [
    [12, 16, 19, 36, 40, 28],
    [36, 75, 76, 55, 72, 146],
    [142, 110, 192, 243, 459, 401],
  ],
  scaleXY: [1.2, 1.1, 1.05],
  squared: false,
};
const TINY_ANCHORS = [
  [23, 27, 37, 58, 81, 82],
  [81, 82, 135, 169, 344, 319],
];
const V3_TINY: Family = { anchors: TINY_ANCHORS, scaleXY: [1, 1], squared: false };
const V4_TINY: Family = { anchors: TINY_ANCHORS, scaleXY: [1.05, 1.05], squared: false };
const V5: Family = { ...V3, scaleXY: [2, 2, 2], squared: true };
const V7: Family = { ...V4, scaleXY: [2, 2, 2], squared: true };

const V3_NAMES = ['yolov3', 'yolov3-tiny', 'NvDsInferParseCustomYoloV3', 'NvDsInferParseCustomYoloV3Tiny'] as const;
const V4_NAMES = ['yolov4-heads', 'yolov4-tiny', 'NvDsInferParseCustomYoloV4Tiny'] as const;
const V5_NAMES = ['yolov5-heads'] as const;
const V7_NAMES = ['yolov7-heads'] as const;

/**
 * YOLO with anchors, a head for each stride, undecoded: two or three outputs `[batch, 3 * (5 + classes), rows,
 * columns]` (darknet, v5 for other runtimes), `[batch, rows, columns, 3 * (5 + classes)]` (Keras), `[batch, rows,
 * columns, 3, 5 + classes]` (TensorFlow YOLOv4, Azure DeepStream Accelerator's `yolov4`) or `[batch, 3, rows, columns,
 * 5 + classes]` (YOLOv5 and v7). Parts that lie within 0 and 1 have been through their sigmoid already.
 */
export const yoloAnchors: OutputParser = {
  name: 'yolo-anchors',
  aliases: [...V3_NAMES, ...V4_NAMES, ...V5_NAMES, ...V7_NAMES],
  standsInFor: ['yolov4', 'yolov5', 'yolov7', 'tiny-yolov3', 'NvDsInferParseCustomYoloV4', 'NvDsInferParseYolo'],
  source: 'pjreddie/darknet and AlexeyAB/darknet, cfg/*.cfg; ultralytics/yolov5, models/yolo.py; onnx/models YOLOv4',
  network: { padValue: 128, suppression: 'nms' },
  match,
  create,
};

interface Head {
  readonly index: number;
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
  /** Distances in elements. */
  readonly perAnchor: number;
  readonly perRow: number;
  readonly perColumn: number;
  readonly perValue: number;
  readonly size: number;
  readonly separate: boolean;
}

function headOf({ dims }: TensorInfo, index: number, net: NetworkInfo): Head | undefined {
  const onGrid = (rows = 0, columns = 0): boolean => {
    const stride = net.width / columns;
    return [8, 16, 32, 64].includes(stride) && net.height / rows === stride;
  };
  const [, a = 0, b = 0, c = 0, d = 0] = dims;
  const head = (rows: number, columns: number, values: number, steps: [number, number, number, number]): Head => ({
    index,
    rows,
    columns,
    classes: values - 5,
    perAnchor: steps[0],
    perRow: steps[1],
    perColumn: steps[2],
    perValue: steps[3],
    size: rows * columns * PER_CELL * values,
    separate: dims.length === 5 && a === PER_CELL,
  });
  if (dims.length === 5) {
    if (a === PER_CELL && onGrid(b, c) && d > 5) return head(b, c, d, [b * c * d, c * d, d, 1]);
    if (c === PER_CELL && onGrid(a, b) && d > 5) return head(a, b, d, [d, b * PER_CELL * d, PER_CELL * d, 1]);
  } else if (dims.length === 4) {
    if (a % PER_CELL === 0 && a / PER_CELL > 5 && onGrid(b, c)) {
      const values = a / PER_CELL;
      return head(b, c, values, [values * b * c, c, 1, b * c]);
    }
    if (c % PER_CELL === 0 && c / PER_CELL > 5 && onGrid(a, b)) {
      const values = c / PER_CELL;
      return head(a, b, values, [values, b * c, c, 1]);
    }
  }
  return undefined;
}

/** Heads with the smallest stride first; undefined unless every output is one. */
function headsOf(outputs: readonly TensorInfo[], net: NetworkInfo): Head[] | undefined {
  if (outputs.length < 2 || outputs.length > 4) return undefined;
  const heads: Head[] = [];
  for (const [index, output] of outputs.entries()) {
    const head = headOf(output, index, net);
    // YOLOv5 gives its decoded boxes first and the heads behind them.
    if (head !== undefined) heads.push(head);
    else if (output.dims.length !== 3) return undefined;
  }
  const classes = heads[0]?.classes;
  if (heads.length < 2 || heads.length > 3 || heads.some((head) => head.classes !== classes)) return undefined;
  if (new Set(heads.map(({ columns }) => columns)).size !== heads.length) return undefined;
  return heads.sort((one, other) => other.columns - one.columns);
}

function familyOf(heads: readonly Head[], outputs: readonly TensorInfo[], net: NetworkInfo): Family {
  const isTiny = heads.length === 2;
  const isV4 = isRequested(net, ...V4_NAMES, 'yolov4', 'NvDsInferParseCustomYoloV4');
  const named = outputs.every(({ name }) => /^Identity/.test(name));
  if (isRequested(net, ...V7_NAMES, 'yolov7')) return V7;
  if (isRequested(net, ...V3_NAMES, 'tiny-yolov3')) return isTiny ? V3_TINY : V3;
  if (isV4 || named) return isTiny ? V4_TINY : V4;
  if (isRequested(net, ...V5_NAMES, 'yolov5') || (heads[0]?.separate && !isTiny)) return V5;
  return isTiny ? V3_TINY : V3;
}

function match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const heads = headsOf(outputs, net);
  const classes = heads?.[0]?.classes;
  if (heads === undefined || classes === undefined) return undefined;
  const known = knownClassCount(net);
  return {
    // Beside decoded boxes the heads are not needed.
    score: heads.length < outputs.length ? 0.35 : known === undefined || known === classes ? 0.88 : 0.4,
    reason: `${heads.length} grids with 3 anchors of 5 + ${classes} values`,
  };
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const heads = headsOf(outputs, net);
  if (heads === undefined) throw new RangeError('these outputs are not grids with anchors');
  const family = familyOf(heads, outputs, net);
  const own = net.anchors;
  return (tensors, batchIndex, settings, into) => {
    for (const [scale, head] of heads.entries()) {
      const anchors = own?.slice(scale * 6, scale * 6 + 6) ?? family.anchors[scale] ?? [];
      const data = floatsOf(tensors, head.index);
      // A grid whose batch differs from the declared one still has the declared strides.
      if (dimOf(tensors, head.index, 0) <= batchIndex) continue;
      const base = batchIndex * head.size;
      const activated = [0, 1, 4].map((value) => isActivated(data, base, head, value));
      const centreDone = activated[0] === true && activated[1] === true;
      const scoreDone = activated[2] === true;
      const widen = family.scaleXY[scale] ?? 1;
      const stride = net.width / head.columns;
      const { classes, perValue } = head;
      for (let anchor = 0; anchor < PER_CELL; anchor += 1) {
        const anchorWidth = anchors[2 * anchor] ?? 0;
        const anchorHeight = anchors[2 * anchor + 1] ?? 0;
        for (let row = 0; row < head.rows; row += 1) {
          let at = base + anchor * head.perAnchor + row * head.perRow;
          for (let column = 0; column < head.columns; column += 1, at += head.perColumn) {
            const raw = data[at + 4 * perValue] as number;
            const objectness = scoreDone ? raw : sigmoid(raw);
            if (objectness < settings.lowestThreshold) continue;
            let classId = 0;
            let best = data[at + 5 * perValue] as number;
            for (let c = 1; c < classes; c += 1) {
              const value = data[at + (5 + c) * perValue] as number;
              if (value > best) {
                best = value;
                classId = c;
              }
            }
            const score = objectness * (scoreDone ? best : sigmoid(best));
            if (score < thresholdOf(settings, classId)) continue;
            const tx = data[at] as number;
            const ty = data[at + perValue] as number;
            const tw = data[at + 2 * perValue] as number;
            const th = data[at + 3 * perValue] as number;
            const x = ((centreDone ? tx : sigmoid(tx)) * widen - (widen - 1) / 2 + column) * stride;
            const y = ((centreDone ? ty : sigmoid(ty)) * widen - (widen - 1) / 2 + row) * stride;
            const width = (family.squared ? (2 * (scoreDone ? tw : sigmoid(tw))) ** 2 : Math.exp(tw)) * anchorWidth;
            const height = (family.squared ? (2 * (scoreDone ? th : sigmoid(th))) ** 2 : Math.exp(th)) * anchorHeight;
            into.push(x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, classId);
          }
        }
      }
    }
  };
}

/** Whether a value of every cell lies within 0 and 1. Raw ones never do: most cells are sure that nothing is there. */
function isActivated(data: TensorData['data'], base: number, head: Head, value: number): boolean {
  for (let anchor = 0; anchor < PER_CELL; anchor += 1) {
    for (let row = 0; row < head.rows; row += 1) {
      let at = base + anchor * head.perAnchor + row * head.perRow + value * head.perValue;
      for (let column = 0; column < head.columns; column += 1, at += head.perColumn) {
        const number = data[at] as number;
        if (number < 0 || number > 1) return false;
      }
    }
  }
  return true;
}
