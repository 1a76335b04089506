import { boxesPerCell, dimOf, floatsOf, knownClassCount, thresholdOf } from './shape.ts';
import { prototypeMasks } from './masks.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParserMatch, TensorInfo } from './types.ts';

/**
 * YOLOv5, v6 and v7, decoded: `[batch, boxes, 5 + classes]` with centre x, centre y, width, height in network pixels,
 * objectness and class scores (sigmoid); score = objectness * class. Three boxes a cell for v5 and v7, one for v6 and
 * for YOLOX exported with `--decode_in_inference`. Mask coefficients of v5-seg after the classes make masks.
 */
export const yolov5: OutputParser = {
  name: 'yolov5',
  aliases: [
    'yolov6',
    'yolov7',
    'yolox-decoded',
    'NvDsInferParseCustomYoloV5',
    'NvDsInferParseYoloV5',
    'NvDsInferParseCustomYoloV6',
    'NvDsInferParseCustomYoloV7',
    'NvDsInferParseYoloV7',
  ],
  standsInFor: ['NvDsInferParseYolo'],
  source: 'ultralytics/yolov5, models/yolo.py (Detect.forward) and utils/general.py (non_max_suppression)',
  network: { padValue: 114, suppression: 'nms' },
  match,
  create,
  createMasks(outputs, net) {
    const masks = maskColumns(outputs);
    const head = outputs.findIndex(({ dims }) => dims.length === 3);
    if (masks === 0 || head < 0) return undefined;
    return prototypeMasks(outputs, net, head, (dims, batchIndex, row) => {
      const [, boxes = 0, columns = 0] = dims;
      return { at: (batchIndex * boxes + row + 1) * columns - masks, step: 1 };
    });
  },
};

/** v5-seg has a second output of 32 mask prototypes, and as many coefficients at the end of each row. */
function maskColumns(outputs: readonly TensorInfo[]): number {
  const prototypes = outputs.find(({ dims }) => dims.length === 4)?.dims[1];
  return prototypes !== undefined && prototypes > 0 ? prototypes : 0;
}

function match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const [, boxes, columns] = outputs.find(({ dims }) => dims.length === 3)?.dims ?? [];
  if (boxes === undefined || columns === undefined) return undefined;
  if (outputs.length !== 1 && !(outputs.length === 2 && maskColumns(outputs) > 0)) return undefined;
  const modelClasses = columns - 5 - maskColumns(outputs);
  if (modelClasses < 1) return undefined;
  const perCell = boxes < 0 ? undefined : boxesPerCell(net, boxes);
  if (boxes >= 0 && (perCell === undefined || boxes < columns)) return undefined;
  const classes = knownClassCount(net);
  const fits = classes === undefined ? 0.8 : classes === modelClasses ? 0.9 : 0.45;
  const reason = `one output of ${boxes < 0 ? 'any number of' : boxes} rows with ${columns} = 5 + ${columns - 5} columns`;
  return { score: perCell === 3 ? fits : fits * 0.4, reason };
}

function create(outputs: readonly TensorInfo[]): ParseOutputs {
  const index = outputs.findIndex(({ dims }) => dims.length === 3);
  const masks = maskColumns(outputs);
  return (tensors, batchIndex, settings, into) => {
    const data = floatsOf(tensors, index);
    const boxes = dimOf(tensors, index, 1);
    const columns = dimOf(tensors, index, 2);
    const end = columns - masks;
    const lowest = settings.lowestThreshold;
    let at = batchIndex * boxes * columns;
    for (let i = 0; i < boxes; i += 1, at += columns) {
      const objectness = data[at + 4] as number;
      if (objectness < lowest) continue;
      let classId = 0;
      let best = data[at + 5] as number;
      for (let c = 6; c < end; c += 1) {
        const value = data[at + c] as number;
        if (value > best) {
          best = value;
          classId = c - 5;
        }
      }
      const score = objectness * best;
      if (score < thresholdOf(settings, classId)) continue;
      const halfWidth = (data[at + 2] as number) / 2;
      const halfHeight = (data[at + 3] as number) / 2;
      const x = data[at] as number;
      const y = data[at + 1] as number;
      into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId, i);
    }
  };
}
