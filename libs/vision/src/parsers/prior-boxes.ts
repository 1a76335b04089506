import { dimOf, floatsOf, isRequested, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParserMatch, TensorInfo } from './types.ts';

/**
 * Detectors that answer as offsets from prior boxes of the grid, and leave the decoding to whoever reads them: centre =
 * prior centre + 0.1 * offset * prior size, size = prior size * exp(0.2 * offset), points as centres.
 */
interface PriorFamily {
  readonly strides: readonly number[];
  /** Square prior boxes of a cell, in network pixels, by stride. */
  readonly sizes: readonly (readonly number[])[];
  readonly label: string;
}

const RETINAFACE: PriorFamily = {
  label: 'RetinaFace',
  strides: [8, 16, 32],
  sizes: [
    [16, 32],
    [64, 128],
    [256, 512],
  ],
};
/** UltraFace (RFB-320 and slim) and OpenCV's first YuNet. */
const ULTRAFACE: PriorFamily = {
  label: 'UltraFace',
  strides: [8, 16, 32, 64],
  sizes: [
    [10, 16, 24],
    [32, 48],
    [64, 96],
    [128, 192, 256],
  ],
};
const CENTRE_VARIANCE = 0.1;
const SIZE_VARIANCE = 0.2;
const POINTS = 5;
const RAW_NAMES = ['prior-boxes', 'ssd-priors', 'ssd-raw', 'retinaface', 'ultraface-raw', 'rfb-raw'] as const;

/**
 * Boxes `[batch, priors, 4]`, scores `[batch, priors, classes]` with the background first and, for RetinaFace, five
 * landmarks `[batch, priors, 10]`. The priors are an output of the model (Caffe: `[1, 2, priors * 4]` corners in
 * fractions, with their variances), or those of RetinaFace or UltraFace, whichever has as many for the input's size.
 */
export const priorBoxes: OutputParser = {
  name: RAW_NAMES[0],
  aliases: [...RAW_NAMES.slice(1), 'NvDsInferParseCustomRetinaface', 'NvDsInferParseRetinaFace'],
  standsInFor: ['ssd', 'NvDsInferParseCustomSSD', 'rfb', 'ultraface'],
  source: 'weiliu89/caffe (SSD, PriorBox); biubug6/Pytorch_Retinaface, utils/box_utils.py; arXiv:1512.02325',
  network: { padValue: 0, suppression: 'nms' },
  match,
  create,
};

interface Layout {
  readonly boxes: number;
  readonly scores: number;
  readonly points: number | undefined;
  /** Output with the priors. */
  readonly priors: number | undefined;
  readonly count: number;
  readonly classes: number;
}

function layoutOf(outputs: readonly TensorInfo[]): Layout | undefined {
  const of3 = (size: number, pattern: RegExp): number =>
    outputs.findIndex(({ name, dims }) => dims.length === 3 && dims[2] === size && pattern.test(name));
  const boxes = [/loc|box|bbox|reg|^4\d+$/i, /./].map((name) => of3(4, name)).find((index) => index >= 0) ?? -1;
  const count = outputs[boxes]?.dims[1] ?? 0;
  const points = of3(2 * POINTS, /./);
  const priors = outputs.findIndex(({ dims }) => dims.length === 3 && dims[1] === 2 && dims[2] === count * 4);
  const scores = outputs.findIndex(
    ({ dims }, index) => ![boxes, points, priors].includes(index) && dims.length === 3 && dims[1] === count,
  );
  if (boxes < 0 || scores < 0 || count < 2) return undefined;
  if (outputs.length !== 2 + (points < 0 ? 0 : 1) + (priors < 0 ? 0 : 1)) return undefined;
  return {
    boxes,
    scores,
    points: points < 0 ? undefined : points,
    priors: priors < 0 ? undefined : priors,
    count,
    classes: outputs[scores]?.dims[2] ?? 0,
  };
}

function familyOf(net: NetworkInfo, count: number): PriorFamily | undefined {
  return [RETINAFACE, ULTRAFACE].find((family) => priorCount(family, net) === count);
}

function priorCount({ strides, sizes }: PriorFamily, net: NetworkInfo): number {
  return strides.reduce(
    (sum, stride, i) => sum + Math.ceil(net.width / stride) * Math.ceil(net.height / stride) * (sizes[i]?.length ?? 0),
    0,
  );
}

function match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const layout = layoutOf(outputs);
  if (layout === undefined || layout.classes < 2) return undefined;
  if (layout.priors !== undefined) {
    return { score: 0.95, reason: `offsets from ${layout.count} prior boxes, which are an output too` };
  }
  const family = familyOf(net, layout.count);
  if (family === undefined) return undefined;
  const reason = `offsets from the ${layout.count} prior boxes of ${family.label}`;
  if (layout.points !== undefined && family === RETINAFACE) return { score: 0.95, reason };
  // Decoded boxes look the same: only a name or an output called `loc` tells.
  const named = isRequested(net, ...RAW_NAMES) || /loc/i.test(outputs[layout.boxes]?.name ?? '');
  return { score: named ? 0.9 : 0.2, reason };
}

/** Centre x, y, width, height in network pixels, one after the other. */
function makePriors(family: PriorFamily, net: NetworkInfo): Float32Array {
  const priors = new Float32Array(priorCount(family, net) * 4);
  let at = 0;
  for (const [i, stride] of family.strides.entries()) {
    for (let y = 0; y < Math.ceil(net.height / stride); y += 1) {
      for (let x = 0; x < Math.ceil(net.width / stride); x += 1) {
        for (const size of family.sizes[i] ?? []) {
          priors.set([(x + 0.5) * stride, (y + 0.5) * stride, size, size], at);
          at += 4;
        }
      }
    }
  }
  return priors;
}

/** The priors that the model gives: corners in fractions, then four variances each. */
function readPriors(data: Float32Array, count: number, net: NetworkInfo): Float32Array {
  const priors = new Float32Array(count * 4);
  for (let i = 0; i < count; i += 1) {
    const at = i * 4;
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = data.subarray(at, at + 4);
    priors.set(
      [((x1 + x2) / 2) * net.width, ((y1 + y2) / 2) * net.height, (x2 - x1) * net.width, (y2 - y1) * net.height],
      at,
    );
  }
  return priors;
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const layout = layoutOf(outputs);
  if (layout === undefined) throw new RangeError('these outputs are not offsets from prior boxes');
  const family = familyOf(net, layout.count);
  let priors = layout.priors === undefined && family !== undefined ? makePriors(family, net) : undefined;
  return (tensors, batchIndex, settings, into) => {
    const offsets = floatsOf(tensors, layout.boxes);
    const scores = floatsOf(tensors, layout.scores);
    const points = layout.points === undefined ? undefined : floatsOf(tensors, layout.points);
    const count = dimOf(tensors, layout.boxes, 1);
    const classes = dimOf(tensors, layout.scores, 2);
    // They depend on the size of the input only, which does not change.
    if (layout.priors !== undefined) priors ??= readPriors(floatsOf(tensors, layout.priors), count, net);
    if (priors === undefined) return;
    if (points !== undefined) into.usePoints(POINTS);
    for (let i = 0; i < count; i += 1) {
      const row = batchIndex * count + i;
      let classId = 1;
      let score = scores[row * classes + 1] as number;
      for (let c = 2; c < classes; c += 1) {
        const value = scores[row * classes + c] as number;
        if (value > score) {
          score = value;
          classId = c;
        }
      }
      // The labels of SSD have the background first; those of the face detectors mostly do not.
      const id = net.labels !== undefined && net.labels.length === classes ? classId : classId - 1;
      if (score < thresholdOf(settings, id)) continue;
      const px = priors[i * 4] as number;
      const py = priors[i * 4 + 1] as number;
      const width = priors[i * 4 + 2] as number;
      const height = priors[i * 4 + 3] as number;
      const at = row * 4;
      const x = px + (offsets[at] as number) * CENTRE_VARIANCE * width;
      const y = py + (offsets[at + 1] as number) * CENTRE_VARIANCE * height;
      const halfWidth = (width * Math.exp((offsets[at + 2] as number) * SIZE_VARIANCE)) / 2;
      const halfHeight = (height * Math.exp((offsets[at + 3] as number) * SIZE_VARIANCE)) / 2;
      const index = into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, id);
      if (index < 0 || points === undefined) continue;
      for (let p = 0; p < POINTS; p += 1) {
        const from = row * 2 * POINTS + 2 * p;
        into.setPoint(
          index,
          p,
          px + (points[from] as number) * CENTRE_VARIANCE * width,
          py + (points[from + 1] as number) * CENTRE_VARIANCE * height,
        );
      }
    }
  };
}
