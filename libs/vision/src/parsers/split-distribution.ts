import { meanBin } from './distribution.ts';
import { dimOf, floatsOf, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, TensorInfo } from './types.ts';

const BINS = [8, 16, 17] as const;

/**
 * The first NanoDet and PP-PicoDet: two outputs a stride, scores `[batch, cells, classes]` and distributions of the four
 * distances `[batch, cells, 4 * bins]`, in any order. Scores are done (sigmoid); NanoDet's cells begin half a pixel
 * before PicoDet's, which is less than their boxes tell.
 */
export const splitDistribution: OutputParser = {
  name: 'split-distribution',
  aliases: ['nanodet-m', 'picodet-heads'],
  standsInFor: ['nanodet', 'picodet', 'NvDsInferParseNanoDet', 'NvDsInferParseCustomNanoDet'],
  source: 'RangiLyu/nanodet v0.4, nanodet/model/head/nanodet_head.py (forward_onnx, get_single_level_center_point)',
  network: { padValue: 0, suppression: 'nms' },

  match(outputs, net) {
    const heads = headsOf(outputs, net);
    const [first] = heads ?? [];
    if (heads === undefined || first === undefined) return undefined;
    return {
      score: 0.93,
      reason: `${heads.length} pairs of ${first.classes} scores and 4 distributions of ${first.bins}, at strides ${heads.map(({ stride }) => stride).join(', ')}`,
    };
  },

  create(outputs, net) {
    const heads = headsOf(outputs, net);
    if (heads === undefined) throw new RangeError('these outputs are not pairs of scores and distributions');
    return (tensors, batchIndex, settings, into) => {
      for (const { scores, boxes, stride, columns, classes, bins } of heads) {
        const scoreData = floatsOf(tensors, scores);
        const boxData = floatsOf(tensors, boxes);
        const cells = dimOf(tensors, scores, 1);
        for (let cell = 0; cell < cells; cell += 1) {
          const at = (batchIndex * cells + cell) * classes;
          let classId = 0;
          for (let c = 1; c < classes; c += 1) {
            if ((scoreData[at + c] as number) > (scoreData[at + classId] as number)) classId = c;
          }
          const score = scoreData[at + classId] as number;
          if (!(score >= thresholdOf(settings, classId))) continue;
          const box = (batchIndex * cells + cell) * 4 * bins;
          const x = (cell % columns) * stride + (stride - 1) / 2;
          const y = Math.floor(cell / columns) * stride + (stride - 1) / 2;
          into.push(
            x - meanBin(boxData, box, bins, 1) * stride,
            y - meanBin(boxData, box + bins, bins, 1) * stride,
            x + meanBin(boxData, box + 2 * bins, bins, 1) * stride,
            y + meanBin(boxData, box + 3 * bins, bins, 1) * stride,
            score,
            classId,
          );
        }
      }
    };
  },
};

interface Head {
  readonly scores: number;
  readonly boxes: number;
  readonly stride: number;
  /** Cells of a row. */
  readonly columns: number;
  readonly classes: number;
  readonly bins: number;
}

function headsOf(outputs: readonly TensorInfo[], net: NetworkInfo): Head[] | undefined {
  if (outputs.length < 6 || outputs.length > 8 || outputs.length % 2 !== 0) return undefined;
  const heads: Head[] = [];
  for (const stride of [8, 16, 32, 64].slice(0, outputs.length / 2)) {
    const columns = Math.ceil(net.width / stride);
    const cells = columns * Math.ceil(net.height / stride);
    const own = outputs.flatMap(({ dims, name }, index) =>
      dims.length === 3 && dims[1] === cells ? [{ index, name, values: dims[2] ?? 0 }] : [],
    );
    const boxes = own.find(({ name }) => /dis|reg|box/i.test(name)) ?? own[1];
    const scores = own.find((one) => one !== boxes);
    const bins = BINS.find((count) => 4 * count === boxes?.values);
    if (own.length !== 2 || boxes === undefined || scores === undefined || bins === undefined || scores.values < 1) {
      return undefined;
    }
    heads.push({ scores: scores.index, boxes: boxes.index, stride, columns, classes: scores.values, bins });
  }
  const [first] = heads;
  return heads.every(({ classes, bins }) => classes === first?.classes && bins === first.bins) ? heads : undefined;
}
