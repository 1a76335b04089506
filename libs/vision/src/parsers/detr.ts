import { dimOf, floatsOf, isRequested, knownClassCount, logit, sigmoid, soleOutput, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParserMatch, TensorInfo } from './types.ts';

const MOST_QUERIES = 1200;
/** Numbers of queries in use: a single output of another number of rows is something else. */
const SOLE_QUERIES: readonly number[] = [100, 300, 900];

/**
 * Transformers that give a fixed number of answers: logits `[batch, queries, classes]` and boxes `[batch, queries, 4]`
 * (centre x, y, width, height in fractions of the input). RT-DETR, D-FINE, RF-DETR, DINO, Deformable DETR and TAO's:
 * every class for itself (sigmoid). DETR: softmax with "no object" as the last class; taken when it is asked for by
 * name, when there is one logit more than classes, or for 92. Also `[batch, 300, 4 + classes]` with scores, as
 * Ultralytics exports RT-DETR. No suppression: the model was trained to answer once.
 */
export const detr: OutputParser = {
  name: 'detr',
  aliases: [
    'rt-detr',
    'rtdetr-raw',
    'dfine',
    'd-fine',
    'rf-detr',
    'deformable-detr',
    'ddetr',
    'NvDsInferParseCustomDDETRTAO',
    'NvDsInferParseCustomRTDETRTAO',
    'NvDsInferParseCustomDETR',
    'NvDsInferParseCustomDINOTAO',
  ],
  standsInFor: ['rtdetr', 'NvDsInferParseYolo'],
  source: 'facebookresearch/detr, models/detr.py (PostProcess); lyuwenyu/RT-DETR; NVIDIA-AI-IOT/deepstream_tao_apps',
  network: { suppression: 'none' },
  match,
  create,
};

interface Layout {
  readonly scores: number;
  readonly boxes: number;
  readonly queries: number;
  readonly classes: number;
  readonly single: boolean;
}

function layoutOf(outputs: readonly TensorInfo[]): Layout | undefined {
  const sole = soleOutput(outputs, 3);
  if (sole !== undefined) {
    const [, queries = 0, columns = 0] = sole.dims;
    if (columns < 6 || columns > 1204 || !SOLE_QUERIES.includes(queries)) return undefined;
    return { scores: 0, boxes: 0, queries, classes: columns - 4, single: true };
  }
  if (outputs.length < 2 || outputs.length > 4) return undefined;
  const boxes = outputs.findIndex(({ name, dims }) => dims.length === 3 && dims[2] === 4 && /box|dets/i.test(name));
  const scores = outputs.findIndex(
    ({ name, dims }, index) =>
      index !== boxes &&
      dims.length === 3 &&
      dims[1] === outputs[boxes]?.dims[1] &&
      /logit|label|class|score/i.test(name),
  );
  const queries = outputs[boxes]?.dims[1] ?? 0;
  const classes = outputs[scores]?.dims[2] ?? 0;
  if (boxes < 0 || scores < 0 || queries > MOST_QUERIES || classes < 1) return undefined;
  return { scores, boxes, queries, classes, single: false };
}

function match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const layout = layoutOf(outputs);
  if (layout === undefined) return undefined;
  const { queries, classes, single } = layout;
  const asked = queries < 0 ? 'any number of' : queries;
  if (single) {
    const known = knownClassCount(net);
    const fits = queries === 300 && (known === undefined ? classes === 80 : known === classes);
    return { score: fits ? 0.88 : 0.3, reason: `one output of ${asked} queries with 4 + ${classes} values` };
  }
  const { name } = outputs[layout.scores] as TensorInfo;
  const named = /logit/i.test(name) || /^(dets|pred_boxes)$/i.test(outputs[layout.boxes]?.name ?? '');
  return {
    score: named ? 0.95 : queries > 0 && queries <= 900 ? 0.6 : 0.3,
    reason: `outputs of ${asked} boxes and ${classes} logits for each`,
  };
}

function hasNoObject(net: NetworkInfo, classes: number): boolean {
  if (isRequested(net, 'NvDsInferParseCustomDETR')) return true;
  const known = knownClassCount(net);
  return classes === 92 || (known !== undefined && classes === known + 1);
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const layout = layoutOf(outputs);
  if (layout === undefined) throw new RangeError('these outputs are not queries');
  const softmax = !layout.single && hasNoObject(net, layout.classes);
  return (tensors, batchIndex, settings, into) => {
    const scores = floatsOf(tensors, layout.scores);
    const boxes = floatsOf(tensors, layout.boxes);
    const queries = dimOf(tensors, layout.boxes, 1);
    const columns = dimOf(tensors, layout.scores, 2);
    const skip = layout.single ? 4 : 0;
    const classes = columns - skip - (softmax ? 1 : 0);
    const perBox = layout.single ? columns : 4;
    const base = batchIndex * queries;
    const done = layout.single || (!softmax && areScores(scores, base * columns, queries * columns));
    const lowest = done ? settings.lowestThreshold : logit(settings.lowestThreshold);
    for (let query = 0; query < queries; query += 1) {
      const at = (base + query) * columns + skip;
      const box = (base + query) * perBox;
      if (softmax) {
        pushSoftmax(at, box);
        continue;
      }
      // One query may answer with several classes.
      for (let c = 0; c < classes; c += 1) {
        const value = scores[at + c] as number;
        if (value < lowest) continue;
        const score = done ? value : sigmoid(value);
        if (score < thresholdOf(settings, c)) continue;
        push(box, score, c);
      }
    }

    function pushSoftmax(at: number, box: number): void {
      let largest = -Infinity;
      let best = 0;
      for (let c = 0; c <= classes; c += 1) largest = Math.max(largest, scores[at + c] as number);
      let total = 0;
      for (let c = 0; c <= classes; c += 1) {
        total += Math.exp((scores[at + c] as number) - largest);
        if (c < classes && (scores[at + c] as number) > (scores[at + best] as number)) best = c;
      }
      const score = Math.exp((scores[at + best] as number) - largest) / total;
      if (!(score < thresholdOf(settings, best))) push(box, score, best);
    }

    function push(box: number, score: number, classId: number): void {
      const x = (boxes[box] as number) * net.width;
      const y = (boxes[box + 1] as number) * net.height;
      const halfWidth = ((boxes[box + 2] as number) * net.width) / 2;
      const halfHeight = ((boxes[box + 3] as number) * net.height) / 2;
      into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId);
    }
  };
}

/** Whether the sigmoid was taken in the model. Of logits most are far below 0. */
function areScores(scores: Float32Array, base: number, count: number): boolean {
  for (let i = base; i < base + count; i += 1) {
    const value = scores[i] as number;
    if (value < 0 || value > 1) return false;
  }
  return true;
}
