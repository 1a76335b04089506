import { dimOf, floatsOf, knownClassCount, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParserMatch, TensorInfo } from './types.ts';

/** Above this a corner cannot be a fraction of the picture (models overshoot the edges a little). */
const LARGEST_FRACTION = 2;

/**
 * "Scores and boxes" before suppression: scores `[batch, boxes, classes]` and decoded corner boxes x1, y1, x2, y2
 * `[batch, boxes, 4]` (or `[batch, boxes, 1, 4]`), as fractions of the picture or in network pixels (told apart by
 * their size). UltraFace/RFB, SSD exported without its NMS, YOLOv4 of pytorch-YOLOv4.
 *
 * Class 0 is the background where the labels say so, where there is one score more than classes (ids then start at 0
 * after it), or, with nothing configured, where the scores of a box add up to one (a softmax needs a background).
 */
export const scoresBoxes: OutputParser = {
  name: 'scores-boxes',
  aliases: [
    'ssd',
    'rfb',
    'ultraface',
    'yolov4',
    'NvDsInferParseCustomSSD',
    'NvDsInferParseUltraFace',
    'NvDsInferParseCustomYoloV4',
  ],
  source: 'Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB, vision/ssd/predictor.py; Tianxiaomo/pytorch-YOLOv4',
  network: { suppression: 'nms' },
  match,
  create,
};

interface Pair {
  readonly scores: number;
  readonly boxes: number;
  readonly classes: number;
}

function pairOf(outputs: readonly TensorInfo[]): Pair | undefined {
  if (outputs.length !== 2) return undefined;
  const boxes = outputs.findIndex(({ name, dims }) => {
    const rows = dims.length === 3 || (dims.length === 4 && dims[2] === 1);
    return rows && dims.at(-1) === 4 && !/score|conf|cls|class/i.test(name);
  });
  const scores = 1 - boxes;
  const dims = outputs[scores]?.dims;
  if (boxes < 0 || dims?.length !== 3 || dims[1] !== outputs[boxes]?.dims[1]) return undefined;
  return { scores, boxes, classes: dims[2] ?? 0 };
}

function match(outputs: readonly TensorInfo[]): ParserMatch | undefined {
  const pair = pairOf(outputs);
  if (pair === undefined || pair.classes < 1) return undefined;
  const count = outputs[pair.boxes]?.dims[1] ?? -1;
  return {
    score: 0.85,
    reason: `outputs of ${count < 0 ? 'any number of' : count} boxes and of ${pair.classes} scores for each`,
  };
}

/** First class to look at and what to take off its id; undefined leaves it to the scores. */
function backgroundOf(net: NetworkInfo, classes: number): { first: number; shift: number } | undefined {
  if (/^_*(background|bg)_*$/i.test(net.labels?.[0] ?? '')) return { first: 1, shift: 0 };
  const known = knownClassCount(net);
  if (known === classes - 1) return { first: 1, shift: 1 };
  if (known === classes && net.labels !== undefined && net.labels.length === classes) return { first: 0, shift: 0 };
  return undefined;
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const pair = pairOf(outputs);
  if (pair === undefined) throw new RangeError('these outputs are not scores and boxes');
  return (tensors, batchIndex, settings, into) => {
    const scores = floatsOf(tensors, pair.scores);
    const boxes = floatsOf(tensors, pair.boxes);
    const count = dimOf(tensors, pair.scores, 1);
    const classes = dimOf(tensors, pair.scores, 2);
    const scoreBase = batchIndex * count * classes;
    const boxBase = batchIndex * count * 4;
    const background = backgroundOf(net, classes);
    const first = background?.first ?? (rowsAddUpToOne(scores, scoreBase, count, classes) ? 1 : 0);
    const shift = background?.shift ?? 0;
    const fractions = areFractions(boxes, boxBase, count);
    const scaleX = fractions ? net.width : 1;
    const scaleY = fractions ? net.height : 1;
    for (let i = 0; i < count; i += 1) {
      const at = scoreBase + i * classes;
      let classId = first;
      let score = scores[at + first] as number;
      for (let c = first + 1; c < classes; c += 1) {
        const value = scores[at + c] as number;
        if (value > score) {
          score = value;
          classId = c;
        }
      }
      classId -= shift;
      if (score < thresholdOf(settings, classId)) continue;
      const box = boxBase + i * 4;
      into.push(
        (boxes[box] as number) * scaleX,
        (boxes[box + 1] as number) * scaleY,
        (boxes[box + 2] as number) * scaleX,
        (boxes[box + 3] as number) * scaleY,
        score,
        classId,
      );
    }
  };
}

/** Whether corners are fractions of the picture. `count` boxes from `base`; not-finite ones say nothing. */
export function areFractions(boxes: Float32Array, base: number, count: number): boolean {
  for (let i = base; i < base + count * 4; i += 1) {
    const value = boxes[i] as number;
    if (value > LARGEST_FRACTION && value < Infinity) return false;
  }
  return true;
}

function rowsAddUpToOne(scores: Float32Array, base: number, count: number, classes: number): boolean {
  if (classes < 2) return false;
  const rows = Math.min(count, 16);
  for (let i = 0; i < rows; i += 1) {
    let sum = 0;
    for (let c = 0; c < classes; c += 1) sum += scores[base + i * classes + c] as number;
    if (!(Math.abs(sum - 1) < 0.01)) return false;
  }
  return rows > 0;
}
