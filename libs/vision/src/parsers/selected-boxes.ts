import { dimOf, floatsOf, isRequested, numberAt, thresholdOf } from './shape.ts';
import type { CandidateList } from '../candidates.ts';
import { areFractions } from './scores-boxes.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, TensorData, TensorInfo } from './types.ts';

const TINY_V3 = ['tiny_yolov3', 'yolov3-nms'] as const;

/**
 * Boxes `[batch, boxes, 4]`, scores `[batch, classes, boxes]` and mostly what ONNX's NonMaxSuppression chose of them,
 * `[n, 3]` of picture, class, box. Without the choice all boxes are candidates and suppression is still to be done
 * (the tiny YOLOv3 of Azure DeepStream Accelerator, whose third output does not survive TensorRT). Keras' YOLOv3
 * (`yolonms_layer_1`) has y before x.
 */
export const selectedBoxes: OutputParser = {
  name: 'selected-boxes',
  aliases: ['onnx-nms', ...TINY_V3],
  source: 'ONNX operator NonMaxSuppression-11; onnx/models YOLOv3 and tiny YOLOv3 (qqwweee/keras-yolo3)',
  network: { padValue: 128, suppression: 'none' },

  match(outputs, net) {
    const parts = partsOf(outputs);
    if (parts === undefined) return undefined;
    if (parts.chosen === undefined) {
      const named = isRequested(net, ...TINY_V3) || outputs.some(({ name }) => /yolonms/.test(name));
      if (!named) return undefined;
      return { score: 0.9, reason: `boxes and ${parts.classes} rows of scores`, suppression: 'nms' };
    }
    return {
      score: 0.92,
      reason: `boxes, ${parts.classes < 0 ? '' : `${parts.classes} rows of `}scores and what was chosen`,
    };
  },

  create,
};

interface Parts {
  readonly boxes: number;
  readonly scores: number;
  readonly chosen: number | undefined;
  readonly classes: number;
  readonly yFirst: boolean;
}

function partsOf(outputs: readonly TensorInfo[]): Parts | undefined {
  if (outputs.length < 2 || outputs.length > 3) return undefined;
  const chosen = outputs.findIndex(
    ({ dims, type }) => dims.at(-1) === 3 && (dims.length === 2 || dims.length === 3) && /int/.test(type),
  );
  const boxes = outputs.findIndex(({ dims }, i) => i !== chosen && dims.length === 3 && dims[2] === 4);
  const count = outputs[boxes]?.dims[1] ?? 0;
  const scores = outputs.findIndex(
    ({ dims }, i) => i !== chosen && i !== boxes && dims.length === 3 && (dims[2] === count || dims[2] === -1),
  );
  if (boxes < 0 || scores < 0 || (outputs.length === 3 && chosen < 0)) return undefined;
  const { dims, name } = outputs[scores] as TensorInfo;
  return {
    boxes,
    scores,
    chosen: chosen < 0 ? undefined : chosen,
    classes: dims[1] ?? 0,
    yFirst: /yolonms/.test(name) || outputs.some((output) => /yolonms/.test(output.name)),
  };
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const parts = partsOf(outputs);
  if (parts === undefined) throw new RangeError('these outputs are not boxes, scores and what was chosen');
  return (tensors, batchIndex, settings, into) => {
    const boxes = floatsOf(tensors, parts.boxes);
    const scores = floatsOf(tensors, parts.scores);
    const count = dimOf(tensors, parts.boxes, 1);
    const classes = dimOf(tensors, parts.scores, 1);
    const fractions = areFractions(boxes, batchIndex * count * 4, count);
    const push = (classId: number, box: number): void => {
      if (!(classId >= 0 && classId < classes && box >= 0 && box < count)) return;
      const score = scores[(batchIndex * classes + classId) * count + box] as number;
      if (score < thresholdOf(settings, classId)) return;
      pushBox(into, boxes, (batchIndex * count + box) * 4, parts.yFirst, fractions, net, score, classId);
    };
    const chosen = parts.chosen === undefined ? undefined : (tensors[parts.chosen] as TensorData);
    if (chosen === undefined) {
      for (let c = 0; c < classes; c += 1) for (let box = 0; box < count; box += 1) push(c, box);
      return;
    }
    const rows = dimOf(tensors, parts.chosen ?? 0, -2);
    for (let i = 0; i < rows; i += 1) {
      if (numberAt(chosen, i * 3) === batchIndex) push(numberAt(chosen, i * 3 + 1), numberAt(chosen, i * 3 + 2));
    }
  };
}

function pushBox(
  into: CandidateList,
  boxes: Float32Array,
  at: number,
  yFirst: boolean,
  fractions: boolean,
  net: NetworkInfo,
  score: number,
  classId: number,
): void {
  const [left, top, right, bottom] = yFirst ? [1, 0, 3, 2] : [0, 1, 2, 3];
  const scaleX = fractions ? net.width : 1;
  const scaleY = fractions ? net.height : 1;
  into.push(
    (boxes[at + left] as number) * scaleX,
    (boxes[at + top] as number) * scaleY,
    (boxes[at + right] as number) * scaleX,
    (boxes[at + bottom] as number) * scaleY,
    score,
    classId,
  );
}
