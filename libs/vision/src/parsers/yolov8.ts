import type { CandidateList } from '../candidates.ts';
import { prototypeMasks } from './masks.ts';
import { boxesPerCell, dimOf, floatsOf, knownClassCount, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParseSettings, ParserMatch, TensorInfo } from './types.ts';

/**
 * YOLOv8, v9, v11, v12 and v5u: `[batch, 4 + classes, boxes]` with centre x, centre y, width, height in network pixels
 * and class scores (sigmoid, no objectness), or the same transposed. Mask coefficients of -seg models make masks with
 * their second output of prototypes; a few keypoints after the classes are passed over.
 */
export const yolov8: OutputParser = {
  name: 'yolov8',
  aliases: [
    'yolov9',
    'yolo11',
    'yolov11',
    'yolov12',
    'yolo12',
    'yolov5u',
    'NvDsInferParseCustomYoloV8',
    'NvDsInferParseYoloV8',
    'NvDsInferParseCustomYoloV9',
    'NvDsInferParseCustomYoloV11',
    'NvDsInferParseCustomYoloV12',
  ],
  standsInFor: ['NvDsInferParseYolo', 'NvDsInferParseYoloCuda'],
  source: 'ultralytics/ultralytics, nn/modules/head.py (Detect) and utils/nms.py',
  network: { padValue: 114, suppression: 'nms' },
  match,
  create,
  createMasks(outputs, net) {
    const head = yoloHeadOf(outputs, net);
    if (head === undefined || head.maskColumns === 0) return undefined;
    return prototypeMasks(outputs, net, head.index, (dims, batchIndex, row) => {
      const [, a = 0, b = 0] = dims;
      const base = batchIndex * a * b;
      const first = head.rows - head.maskColumns;
      return head.transposed ? { at: base + row * b + first, step: 1 } : { at: base + first * b + row, step: b };
    });
  },
};

export interface YoloHead {
  readonly index: number;
  readonly rows: number;
  readonly boxes: number;
  readonly transposed: boolean;
  readonly maskColumns: number;
}

/** A YOLOv8 head: which way round it lies; undefined when the outputs are none. */
export function yoloHeadOf(outputs: readonly TensorInfo[], net: NetworkInfo): YoloHead | undefined {
  const index = outputs.findIndex(({ dims }) => dims.length === 3);
  const [, first, second] = outputs[index]?.dims ?? [];
  if (first === undefined || second === undefined) return undefined;
  const prototypes = outputs.find(({ dims }) => dims.length === 4)?.dims[1] ?? 0;
  if (outputs.length !== 1 && !(outputs.length === 2 && prototypes > 0)) return undefined;
  const known = (boxes: number): boolean => boxes < 0 || boxesPerCell(net, boxes) !== undefined;
  const maskColumns = Math.max(0, prototypes);
  if (first >= 5 && (second < 0 || second > first) && known(second)) {
    return { index, rows: first, boxes: second, transposed: false, maskColumns };
  }
  if (second >= 5 && (first < 0 || first > second) && known(first)) {
    return { index, rows: second, boxes: first, transposed: true, maskColumns };
  }
  return undefined;
}

/** Classes the head can have: what is left of a row, unless fewer are configured (the rest are keypoints). */
function classesOf(head: YoloHead, net: NetworkInfo): number {
  const room = head.rows - 4 - head.maskColumns;
  const known = knownClassCount(net);
  return known !== undefined && known < room && (room - known) % 3 === 0 && head.maskColumns === 0 ? known : room;
}

function match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const head = yoloHeadOf(outputs, net);
  if (head === undefined) return undefined;
  const room = head.rows - 4 - head.maskColumns;
  if (room < 1) return undefined;
  const known = knownClassCount(net);
  const agrees = known === undefined ? undefined : known === room;
  const shape = head.transposed ? `${head.boxes} rows of` : `${head.boxes < 0 ? 'any' : head.boxes} columns of`;
  const reason = `an output with ${shape} ${head.rows} = 4 + ${head.rows - 4} values`;
  if (!head.transposed) return { score: agrees === false ? 0.6 : 0.9, reason };
  // Rows of 5 + classes look alike: without a class count only 84 = 4 + 80 is telling.
  if (agrees === undefined) return { score: head.rows === 84 ? 0.9 : 0.5, reason };
  return { score: agrees ? 0.9 : 0.35, reason };
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const head = yoloHeadOf(outputs, net);
  if (head === undefined) throw new RangeError('these outputs are not those of a YOLOv8 head');
  const classes = classesOf(head, net);
  let best = new Float32Array(0);
  let bestClass = new Int32Array(0);

  return (tensors, batchIndex, settings, into) => {
    const data = floatsOf(tensors, head.index);
    const boxes = dimOf(tensors, head.index, head.transposed ? 1 : 2);
    const rows = dimOf(tensors, head.index, head.transposed ? 2 : 1);
    const base = batchIndex * boxes * rows;
    if (head.transposed) {
      parseRows(data, base, boxes, rows, classes, settings, into);
      return;
    }
    if (best.length < boxes) {
      best = new Float32Array(boxes);
      bestClass = new Int32Array(boxes);
    }
    // Class by class, as the scores lie in memory: box by box would touch a cache line for each class.
    best.set(data.subarray(base + 4 * boxes, base + 5 * boxes));
    bestClass.fill(0, 0, boxes);
    for (let c = 1; c < classes; c += 1) {
      let at = base + (4 + c) * boxes;
      for (let i = 0; i < boxes; i += 1, at += 1) {
        const value = data[at] as number;
        if (value > (best[i] as number)) {
          best[i] = value;
          bestClass[i] = c;
        }
      }
    }
    for (let i = 0; i < boxes; i += 1) {
      const score = best[i] as number;
      if (score < settings.lowestThreshold) continue;
      const classId = bestClass[i] as number;
      if (score < thresholdOf(settings, classId)) continue;
      const x = data[base + i] as number;
      const y = data[base + boxes + i] as number;
      const halfWidth = (data[base + 2 * boxes + i] as number) / 2;
      const halfHeight = (data[base + 3 * boxes + i] as number) / 2;
      into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId, i);
    }
  };
}

function parseRows(
  data: Float32Array,
  base: number,
  boxes: number,
  columns: number,
  classes: number,
  settings: ParseSettings,
  into: CandidateList,
): void {
  for (let i = 0, at = base; i < boxes; i += 1, at += columns) {
    let classId = 0;
    let score = data[at + 4] as number;
    for (let c = 1; c < classes; c += 1) {
      const value = data[at + 4 + c] as number;
      if (value > score) {
        score = value;
        classId = c;
      }
    }
    if (score < thresholdOf(settings, classId)) continue;
    const x = data[at] as number;
    const y = data[at + 1] as number;
    const halfWidth = (data[at + 2] as number) / 2;
    const halfHeight = (data[at + 3] as number) / 2;
    into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId, i);
  }
}
