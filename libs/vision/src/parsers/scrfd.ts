import { dimOf, floatsOf, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, TensorInfo } from './types.ts';

const STRIDES = [8, 16, 32] as const;
const POINTS = 5;

/**
 * SCRFD faces (insightface): for strides 8, 16 and 32 scores `[cells * 2, 1]`, distances of the four edges `[..., 4]`
 * and, with landmarks, five points `[..., 10]`, in strides from the corner of the cell; two anchors a cell, with a batch
 * dimension in front or without one.
 */
export const scrfd: OutputParser = {
  name: 'scrfd',
  aliases: ['insightface', 'NvDsInferParseSCRFD', 'NvDsInferParseCustomSCRFD'],
  source: 'deepinsight/insightface, python-package/insightface/model_zoo/scrfd.py; arXiv:2105.04714',
  network: { padValue: 0, suppression: 'nms' },

  match(outputs, net) {
    const levels = levelsOf(outputs, net);
    if (levels === undefined) return undefined;
    return { score: 0.94, reason: `scores, edges${levels[0]?.points === undefined ? '' : ' and points'} at 3 strides` };
  },

  create(outputs, net) {
    const levels = levelsOf(outputs, net);
    if (levels === undefined) throw new RangeError('these outputs are not those of SCRFD');
    return (tensors, batchIndex, settings, into) => {
      const threshold = thresholdOf(settings, 0);
      if (levels[0]?.points !== undefined) into.usePoints(POINTS);
      for (const { stride, scores, boxes, points, anchors } of levels) {
        const score = floatsOf(tensors, scores);
        const edges = floatsOf(tensors, boxes);
        const kps = points === undefined ? undefined : floatsOf(tensors, points);
        const count = dimOf(tensors, scores, -2);
        const columns = Math.ceil(net.width / stride);
        const base = (tensors[scores]?.dims.length ?? 0) === 3 ? batchIndex * count : 0;
        for (let i = 0; i < count; i += 1) {
          const row = base + i;
          const value = score[row] as number;
          if (value < threshold) continue;
          const cell = Math.floor(i / anchors);
          const x = (cell % columns) * stride;
          const y = Math.floor(cell / columns) * stride;
          const index = into.push(
            x - (edges[row * 4] as number) * stride,
            y - (edges[row * 4 + 1] as number) * stride,
            x + (edges[row * 4 + 2] as number) * stride,
            y + (edges[row * 4 + 3] as number) * stride,
            value,
            0,
          );
          if (index < 0 || kps === undefined) continue;
          for (let p = 0; p < POINTS; p += 1) {
            const at = row * 2 * POINTS + 2 * p;
            into.setPoint(index, p, x + (kps[at] as number) * stride, y + (kps[at + 1] as number) * stride);
          }
        }
      }
    };
  },
};

interface Level {
  readonly stride: number;
  readonly scores: number;
  readonly boxes: number;
  readonly points: number | undefined;
  readonly anchors: number;
}

function levelsOf(outputs: readonly TensorInfo[], net: NetworkInfo): Level[] | undefined {
  if (outputs.length !== 6 && outputs.length !== 9) return undefined;
  const levels: Level[] = [];
  for (const stride of STRIDES) {
    const cells = Math.ceil(net.width / stride) * Math.ceil(net.height / stride);
    const anchors = [2, 1].find((count) =>
      outputs.some(({ dims }) => dims.at(-1) === 1 && dims.at(-2) === count * cells),
    );
    if (anchors === undefined) return undefined;
    const find = (size: number): number =>
      outputs.findIndex(({ dims }) => dims.at(-1) === size && dims.at(-2) === anchors * cells);
    const [scores, boxes, points] = [find(1), find(4), find(2 * POINTS)];
    if (boxes < 0) return undefined;
    levels.push({ stride, scores, boxes, points: points < 0 ? undefined : points, anchors });
  }
  return levels;
}
