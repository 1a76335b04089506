import { dimOf, floatsOf, logit, sigmoid, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, TensorInfo } from './types.ts';

const ANCHORS = 9;
/** Height / width of the three anchors of each scale. */
const RATIOS = [1, 2, 0.5];
const SCALES = [4, 4 * 2 ** (1 / 3), 4 * 2 ** (2 / 3)];
/** exp() of more would be larger than any picture. */
const LARGEST_LOG = Math.log(1000 / 16);

/**
 * RetinaNet, undecoded: for each of the levels (strides 8 to 128) classes `[batch, 9 * classes, rows, columns]` and
 * offsets `[batch, 36, rows, columns]` from nine anchors. Class scores are logits or have been through the sigmoid.
 */
export const retinaNet: OutputParser = {
  name: 'retinanet',
  aliases: ['retinanet-heads', 'odtk', 'NvDsInferParseRetinaNet', 'NvDsInferParseCustomRetinaNet'],
  source: 'NVIDIA/retinanet-examples, odtk/box.py; onnx/models RetinaNet; arXiv:1708.02002',
  network: { padValue: 0, suppression: 'nms' },

  match(outputs, net) {
    const levels = levelsOf(outputs, net);
    const [first] = levels ?? [];
    if (levels === undefined || first === undefined) return undefined;
    return { score: 0.95, reason: `${levels.length} levels of 9 anchors with ${first.classes} classes` };
  },

  create(outputs, net) {
    const levels = levelsOf(outputs, net);
    if (levels === undefined) throw new RangeError('these outputs are not the levels of RetinaNet');
    return (tensors, batchIndex, settings, into) => {
      for (const { scores, boxes, rows, columns, classes, stride } of levels) {
        const cls = floatsOf(tensors, scores);
        const reg = floatsOf(tensors, boxes);
        if (dimOf(tensors, scores, 0) <= batchIndex) continue;
        const cells = rows * columns;
        const base = batchIndex * ANCHORS * classes * cells;
        const done = isSigmoid(cls, base, Math.min(ANCHORS * classes * cells, 20_000));
        const lowest = done ? settings.lowestThreshold : logit(settings.lowestThreshold);
        for (let channel = 0; channel < ANCHORS * classes; channel += 1) {
          const classId = channel % classes;
          const anchor = (channel - classId) / classes;
          const size = stride * (SCALES[Math.floor(anchor / 3)] as number);
          const ratio = RATIOS[anchor % 3] as number;
          const width = size / Math.sqrt(ratio);
          const height = width * ratio;
          for (let cell = 0, at = base + channel * cells; cell < cells; cell += 1, at += 1) {
            const value = cls[at] as number;
            if (value < lowest) continue;
            const score = done ? value : sigmoid(value);
            if (score < thresholdOf(settings, classId)) continue;
            const offset = (batchIndex * ANCHORS + anchor) * 4 * cells + cell;
            const x = ((cell % columns) + 0.5) * stride + (reg[offset] as number) * width;
            const y = (Math.floor(cell / columns) + 0.5) * stride + (reg[offset + cells] as number) * height;
            const halfWidth = (width * Math.exp(Math.min(LARGEST_LOG, reg[offset + 2 * cells] as number))) / 2;
            const halfHeight = (height * Math.exp(Math.min(LARGEST_LOG, reg[offset + 3 * cells] as number))) / 2;
            into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId);
          }
        }
      }
    };
  },
};

interface Level {
  readonly scores: number;
  readonly boxes: number;
  readonly rows: number;
  readonly columns: number;
  readonly classes: number;
  readonly stride: number;
}

function levelsOf(outputs: readonly TensorInfo[], net: NetworkInfo): Level[] | undefined {
  if (outputs.length < 6 || outputs.length % 2 !== 0 || outputs.some(({ dims }) => dims.length !== 4)) return undefined;
  const levels: Level[] = [];
  for (const [index, { dims }] of outputs.entries()) {
    const [, channels = 0, rows = 0, columns = 0] = dims;
    if (channels !== 4 * ANCHORS) continue;
    const scores = outputs.findIndex((other, i) => i !== index && other.dims[2] === rows && other.dims[3] === columns);
    const classes = (outputs[scores]?.dims[1] ?? 0) / ANCHORS;
    if (scores < 0 || classes < 1 || !Number.isInteger(classes)) return undefined;
    levels.push({
      scores,
      boxes: index,
      rows,
      columns,
      classes,
      stride: 2 ** Math.round(Math.log2(net.width / columns)),
    });
  }
  return levels.length === outputs.length / 2 ? levels : undefined;
}

function isSigmoid(data: Float32Array, base: number, count: number): boolean {
  for (let i = base; i < base + count; i += 1) {
    const value = data[i] as number;
    if (value < 0 || value > 1) return false;
  }
  return true;
}
