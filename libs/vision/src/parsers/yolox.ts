import { unexpectedOutput } from '../errors.ts';
import { STRIDE_SETS, cellCount, dimOf, floatsOf, knownClassCount, soleOutput, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, ParserMatch, TensorInfo } from './types.ts';

/**
 * YOLOX, undecoded: `[batch, cells, 5 + classes]`, cells of strides 8, 16, 32 row by row; a row is the centre offset
 * from its cell, log size (both in strides), objectness and class scores (already sigmoid).
 */
export const yolox: OutputParser = {
  name: 'yolox',
  aliases: ['light-detector', 'NvDsInferParseYoloX', 'NvDsInferParseCustomYoloX', 'NvDsInferParseCustomLightDet'],
  standsInFor: ['NvDsInferParseYolo'],
  source: 'Megvii-BaseDetection/YOLOX, demo/ONNXRuntime (demo_postprocess)',
  network: { padValue: 114, suppression: 'nms' },
  match,
  create,
};

function match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined {
  const [, boxes, columns] = soleOutput(outputs, 3)?.dims ?? [];
  if (boxes === undefined || columns === undefined || columns < 6) return undefined;
  if (!STRIDE_SETS.some((strides) => cellCount(net, strides) === boxes)) return undefined;
  const classes = knownClassCount(net);
  const reason = `one output of ${boxes} grid cells with ${columns} = 5 + ${columns - 5} columns`;
  if (classes !== undefined) return { score: classes === columns - 5 ? 0.9 : 0.4, reason };
  return { score: columns === 85 ? 0.9 : 0.6, reason };
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const declared = outputs[0]?.dims[1];
  const strides = STRIDE_SETS.find((set) => cellCount(net, set) === declared) ?? [8, 16, 32];
  const cells = cellCount(net, strides);
  const cellX = new Float32Array(cells);
  const cellY = new Float32Array(cells);
  const cellStride = new Float32Array(cells);
  let cell = 0;
  for (const stride of strides) {
    for (let y = 0; y < Math.floor(net.height / stride); y += 1) {
      for (let x = 0; x < Math.floor(net.width / stride); x += 1, cell += 1) {
        cellX[cell] = x;
        cellY[cell] = y;
        cellStride[cell] = stride;
      }
    }
  }

  return (tensors, batchIndex, settings, into) => {
    const data = floatsOf(tensors, 0);
    const columns = dimOf(tensors, 0, 2);
    if (dimOf(tensors, 0, 1) !== cells) {
      throw unexpectedOutput(`YOLOX gave ${dimOf(tensors, 0, 1)} boxes, its grid has ${cells} cells`);
    }
    const classes = columns - 5;
    const lowest = settings.lowestThreshold;
    let at = batchIndex * cells * columns;
    for (let i = 0; i < cells; i += 1, at += columns) {
      const objectness = data[at + 4] as number;
      // Class scores are at most 1. A NaN passes and is counted by the list.
      if (objectness < lowest) continue;
      let classId = 0;
      let best = data[at + 5] as number;
      for (let c = 1; c < classes; c += 1) {
        const value = data[at + 5 + c] as number;
        if (value > best) {
          best = value;
          classId = c;
        }
      }
      const score = objectness * best;
      if (score < thresholdOf(settings, classId)) continue;
      const stride = cellStride[i] as number;
      const x = ((data[at] as number) + (cellX[i] as number)) * stride;
      const y = ((data[at + 1] as number) + (cellY[i] as number)) * stride;
      const halfWidth = (Math.exp(data[at + 2] as number) * stride) / 2;
      const halfHeight = (Math.exp(data[at + 3] as number) * stride) / 2;
      into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId);
    }
  };
}
