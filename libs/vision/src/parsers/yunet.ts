import { unexpectedOutput } from '../errors.ts';
import { dimOf, floatsOf, thresholdOf } from './shape.ts';
import type { OutputParser, TensorInfo } from './types.ts';

const STRIDES = [8, 16, 32] as const;
const PARTS = ['cls', 'obj', 'bbox', 'kps'] as const;
const POINTS = 5;

/**
 * YuNet faces: outputs `cls_S`, `obj_S` (already sigmoid), `bbox_S`, `kps_S` for strides S = 8, 16, 32; centre =
 * (cell + offset) * S, size = exp(value) * S, five landmarks (eyes, nose, corners of the mouth). Score = class *
 * objectness (OpenCV's FaceDetectorYN takes the square root of that: its thresholds are the roots of these).
 */
export const yunet: OutputParser = {
  name: 'yunet',
  aliases: ['NvDsInferParseYuNet', 'NvDsInferParseCustomYuNet'],
  source: 'ShiqiYu/libfacedetection.train, mmdet/models/dense_heads/yunet_head.py',
  network: { padValue: 0, suppression: 'nms' },

  match(outputs, net) {
    const heads = headsOf(outputs);
    if (heads === undefined) return undefined;
    const consistent = heads.every(({ stride, indexes }) => {
      const boxes = outputs[indexes[0]]?.dims[1] ?? -1;
      return boxes < 0 || boxes === Math.floor(net.width / stride) * Math.floor(net.height / stride);
    });
    if (!consistent) return undefined;
    return { score: 0.95, reason: `outputs ${PARTS.join(', ')} at strides ${STRIDES.join(', ')}` };
  },

  create(outputs, net) {
    const heads = headsOf(outputs);
    if (heads === undefined) throw new RangeError('these outputs are not those of YuNet');
    return (tensors, batchIndex, settings, into) => {
      into.usePoints(POINTS);
      const threshold = thresholdOf(settings, 0);
      for (const { stride, indexes } of heads) {
        const cls = floatsOf(tensors, indexes[0]);
        const obj = floatsOf(tensors, indexes[1]);
        const bbox = floatsOf(tensors, indexes[2]);
        const kps = floatsOf(tensors, indexes[3]);
        const columns = Math.floor(net.width / stride);
        const cells = columns * Math.floor(net.height / stride);
        if (dimOf(tensors, indexes[0], 1) !== cells) {
          throw unexpectedOutput(`YuNet gave ${dimOf(tensors, indexes[0], 1)} cells at stride ${stride}, not ${cells}`);
        }
        for (let cell = 0, at = batchIndex * cells; cell < cells; cell += 1, at += 1) {
          const score = (cls[at] as number) * (obj[at] as number);
          if (score < threshold) continue;
          const column = cell % columns;
          const row = Math.floor(cell / columns);
          const x = (column + (bbox[at * 4] as number)) * stride;
          const y = (row + (bbox[at * 4 + 1] as number)) * stride;
          const halfWidth = (Math.exp(bbox[at * 4 + 2] as number) * stride) / 2;
          const halfHeight = (Math.exp(bbox[at * 4 + 3] as number) * stride) / 2;
          const index = into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, 0);
          if (index < 0) continue;
          for (let p = 0; p < POINTS; p += 1) {
            const from = at * 2 * POINTS + 2 * p;
            into.setPoint(
              index,
              p,
              ((kps[from] as number) + column) * stride,
              ((kps[from + 1] as number) + row) * stride,
            );
          }
        }
      }
    };
  },
};

interface Head {
  readonly stride: number;
  readonly indexes: readonly [cls: number, obj: number, bbox: number, kps: number];
}

function headsOf(outputs: readonly TensorInfo[]): Head[] | undefined {
  const heads = STRIDES.map((stride): Head => {
    const [cls = -1, obj = -1, bbox = -1, kps = -1] = PARTS.map((part) =>
      outputs.findIndex(({ name }) => name === `${part}_${stride}`),
    );
    return { stride, indexes: [cls, obj, bbox, kps] };
  });
  return heads.every(({ indexes }) => indexes.every((index) => index >= 0)) ? heads : undefined;
}
