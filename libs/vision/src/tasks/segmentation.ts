import { numberAt, floatsOf } from '../parsers/shape.ts';
import type { NetworkInfo, TensorData, TensorInfo } from '../parsers/types.ts';
import type { Fit } from '../fit.ts';
import type { SegmentationMap } from '../results.ts';
import { unexpectedOutput } from '../errors.ts';
import type { TaskParser } from './types.ts';

/**
 * Semantic segmentation: scores `[batch, classes, rows, columns]` (or with the classes last), or finished class ids
 * `[batch, rows, columns]`. The best class of each cell; -1 where its probability is below the threshold. One channel
 * of probabilities is class 0 where it reaches the threshold (0.5 unless configured).
 */
export const segmentation: TaskParser = {
  name: 'segmentation',
  aliases: [
    'semantic-segmentation',
    'unet',
    'deeplab',
    'segformer',
    'NvDsInferParseCustomPeopleSemSegNet',
    'NvDsInferParseCustomSegformerTAO',
  ],
  task: 'segmentation',
  source: 'NVIDIA DeepStream, sources/libs/nvdsinfer/nvdsinfer_context_impl_output_parsing.cpp (SegmentPostprocessor)',

  match(outputs, net) {
    const layout = layoutOf(outputs, net);
    if (layout === undefined) return undefined;
    const { rows, columns } = layout;
    const large = rows < 0 || columns < 0 || rows * columns * 64 >= net.width * net.height;
    return {
      score: large ? 0.65 : 0.2,
      reason:
        layout.classes === 0
          ? `one output of ${columns} x ${rows} class ids`
          : `one output of ${columns} x ${rows} cells with ${layout.classes} classes`,
    };
  },

  create(outputs, net, { labels, componentId, threshold = 0 }) {
    return (tensors, _batchIndex, fit) => {
      const index = layoutOf(outputs, net)?.index ?? 0;
      const tensor = tensors[index];
      const infos = tensor === undefined ? [] : [{ ...tensor, type: tensor.type ?? outputs[index]?.type ?? '' }];
      const layout = layoutOf(infos, net);
      if (tensor === undefined || layout === undefined) throw unexpectedOutput('the model gave no map of classes');
      const region = regionOf(layout, fit, net);
      const classes = readClasses(tensor, tensors, index, layout, region, _batchIndex, threshold);
      const map: SegmentationMap = {
        width: region.width,
        height: region.height,
        classes,
        areas: areasOf(classes, labels),
        componentId,
      };
      return { task: 'segmentation', map };
    };
  },
};

interface Layout {
  readonly index: number;
  readonly rows: number;
  readonly columns: number;
  /** 0: the output holds class ids. */
  readonly classes: number;
  readonly last: boolean;
}

function layoutOf(outputs: readonly TensorInfo[], net: NetworkInfo): Layout | undefined {
  const index = outputs.findIndex(({ dims }) => dims.length === 4 || dims.length === 3);
  const output = outputs[index];
  if (output === undefined || outputs.length > 2) return undefined;
  const { dims, type } = output;
  const [, a = 0, b = 0, c = 0] = dims;
  const ids = /int/.test(type);
  if (dims.length === 3)
    return ids && a > 8 && b > 8 ? { index, rows: a, columns: b, classes: 0, last: false } : undefined;
  // The picture's own proportions tell rows and columns from classes.
  const last = c <= 256 && c < a && (a === b || Math.abs(a / b - net.height / net.width) < 0.1);
  const [rows, columns, classes] = last ? [a, b, c] : [b, c, a];
  if (Math.abs(rows) < 2 || Math.abs(columns) < 2) return undefined;
  return { index, rows, columns, classes: ids && classes === 1 ? 0 : classes, last };
}

interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The cells that the picture covers. */
function regionOf({ rows, columns }: Layout, fit: Fit, net: NetworkInfo): Region {
  const left = Math.floor((fit.offsetX / net.width) * columns);
  const top = Math.floor((fit.offsetY / net.height) * rows);
  return {
    left,
    top,
    width: Math.max(1, Math.min(columns - left, Math.round((fit.width / net.width) * columns))),
    height: Math.max(1, Math.min(rows - top, Math.round((fit.height / net.height) * rows))),
  };
}

function readClasses(
  tensor: TensorData,
  tensors: readonly TensorData[],
  index: number,
  { rows, columns, classes, last }: Layout,
  region: Region,
  batchIndex: number,
  threshold: number,
): Int16Array {
  const found = new Int16Array(region.width * region.height);
  const cells = rows * columns;
  if (classes === 0) {
    for (let y = 0, at = 0; y < region.height; y += 1) {
      const from = batchIndex * cells + (y + region.top) * columns + region.left;
      for (let x = 0; x < region.width; x += 1, at += 1) found[at] = numberAt(tensor, from + x);
    }
    return found;
  }
  const data = floatsOf(tensors, index);
  const base = batchIndex * cells * classes;
  const [step, apart] = last ? [1, classes] : [cells, 1];
  const logits = classes > 1 && threshold > 0 && !isProbability(data, base, classes, step);
  const least = classes === 1 && threshold === 0 ? 0.5 : threshold;
  for (let y = 0, to = 0; y < region.height; y += 1) {
    const row = base + ((y + region.top) * columns + region.left) * apart;
    for (let x = 0; x < region.width; x += 1, to += 1) {
      const at = row + x * apart;
      let best = 0;
      let score = data[at] as number;
      for (let c = 1; c < classes; c += 1) {
        const value = data[at + c * step] as number;
        if (value > score) {
          score = value;
          best = c;
        }
      }
      if (logits) {
        let total = 0;
        for (let c = 0; c < classes; c += 1) total += Math.exp((data[at + c * step] as number) - score);
        score = 1 / total;
      }
      found[to] = least > 0 && !(score >= least) ? -1 : best;
    }
  }
  return found;
}

function isProbability(data: Float32Array, base: number, classes: number, step: number): boolean {
  let sum = 0;
  for (let c = 0; c < classes; c += 1) {
    const value = data[base + c * step] as number;
    if (!(value >= 0 && value <= 1)) return false;
    sum += value;
  }
  return sum > 0;
}

function areasOf(classes: Int16Array, labels: readonly string[]): SegmentationMap['areas'] {
  const counts = new Map<number, number>();
  for (const classId of classes) if (classId >= 0) counts.set(classId, (counts.get(classId) ?? 0) + 1);
  return [...counts]
    .map(([classId, cells]) => ({
      classId,
      label: labels[classId] ?? `class-${classId}`,
      share: cells / classes.length,
    }))
    .sort((a, b) => b.share - a.share || a.classId - b.classId);
}
