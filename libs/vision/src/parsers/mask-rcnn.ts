import { dimOf, floatsOf, thresholdOf } from './shape.ts';
import { gridMasks } from './masks.ts';
import type { OutputParser, TensorInfo } from './types.ts';

/**
 * TAO's Mask R-CNN: `generate_detections` `[batch, boxes, 6]` with y1, x1, y2, x2 (network pixels, or fractions), class
 * and score, and a grid of mask logits for each box and class, `[batch, boxes, classes, rows, columns]`.
 */
export const maskRcnn: OutputParser = {
  name: 'mask-rcnn',
  aliases: ['mrcnn', 'NvDsInferParseCustomMrcnnTLT', 'NvDsInferParseCustomMrcnnTLTV2'],
  source: 'NVIDIA DeepStream, sources/libs/nvdsinfer_customparser (NvDsInferParseCustomMrcnnTLTV2)',
  network: { padValue: 0, suppression: 'none' },

  match(outputs) {
    const parts = partsOf(outputs);
    if (parts === undefined) return undefined;
    return { score: 0.94, reason: 'rows of 6 with a grid of mask logits for each' };
  },

  create(outputs, net) {
    const parts = partsOf(outputs);
    if (parts === undefined) throw new RangeError('these outputs are not those of Mask R-CNN');
    return (tensors, batchIndex, settings, into) => {
      const data = floatsOf(tensors, parts.rows);
      const rows = dimOf(tensors, parts.rows, -2);
      const base = batchIndex * rows * 6;
      let fractions = true;
      for (let i = 0; i < rows * 6; i += 1) if (i % 6 < 4 && (data[base + i] as number) > 2) fractions = false;
      const scaleX = fractions ? net.width : 1;
      const scaleY = fractions ? net.height : 1;
      for (let i = 0, at = base; i < rows; i += 1, at += 6) {
        const score = data[at + 5] as number;
        const classId = Math.round(data[at + 4] as number);
        if (score <= 0 || classId < 0 || score < thresholdOf(settings, classId)) continue;
        const [y1 = 0, x1 = 0, y2 = 0, x2 = 0] = data.subarray(at, at + 4);
        into.push(x1 * scaleX, y1 * scaleY, x2 * scaleX, y2 * scaleY, score, classId, i);
      }
    };
  },

  createMasks(outputs) {
    const parts = partsOf(outputs);
    return parts && gridMasks(parts.masks, true);
  },
};

function partsOf(outputs: readonly TensorInfo[]): { rows: number; masks: number } | undefined {
  if (outputs.length !== 2) return undefined;
  const rows = outputs.findIndex(
    ({ name, dims }) => dims.at(-1) === 6 && dims.length <= 3 && /detection|det/i.test(name),
  );
  const masks = outputs.findIndex(({ name, dims }) => (dims.length === 4 || dims.length === 5) && /mask/i.test(name));
  return rows < 0 || masks < 0 ? undefined : { rows, masks };
}
