import { dimOf, floatsOf, knownClassCount, sigmoid, soleOutput, thresholdOf } from './shape.ts';
import type { OutputParser } from './types.ts';

/** The network sees the picture at one sixteenth. */
const STRIDE = 16;

/**
 * FastestDet: one grid `[batch, 5 + classes, rows, columns]`; channels are objectness, centre offset (tanh, in cells),
 * size (sigmoid, fraction of the input) and class scores; score = objectness^0.6 * class^0.4.
 */
export const fastestDet: OutputParser = {
  name: 'fastestdet',
  aliases: ['NvDsInferParseFastestDet', 'NvDsInferParseCustomFastestDet'],
  source: 'dog-qiuqiu/FastestDet, utils/tool.py (handle_preds) and example/onnx-runtime',
  network: { suppression: 'nms' },

  match(outputs, net) {
    const [, channels, rows, columns] = soleOutput(outputs, 4)?.dims ?? [];
    if (channels === undefined || channels < 6) return undefined;
    if (rows !== Math.floor(net.height / STRIDE) || columns !== Math.floor(net.width / STRIDE)) return undefined;
    const classes = knownClassCount(net);
    return {
      score: classes === undefined ? 0.7 : classes === channels - 5 ? 0.9 : 0.4,
      reason: `one grid of ${columns} x ${rows} cells with ${channels} = 5 + ${channels - 5} channels`,
    };
  },

  create(_outputs, net) {
    return (tensors, batchIndex, settings, into) => {
      const data = floatsOf(tensors, 0);
      const channels = dimOf(tensors, 0, 1);
      const rows = dimOf(tensors, 0, 2);
      const columns = dimOf(tensors, 0, 3);
      const cells = rows * columns;
      const base = batchIndex * channels * cells;
      for (let cell = 0; cell < cells; cell += 1) {
        const at = base + cell;
        const objectness = data[at] as number;
        const weight = objectness ** 0.6;
        if (weight < settings.lowestThreshold) continue;
        let classId = 0;
        let best = data[at + 5 * cells] as number;
        for (let c = 6; c < channels; c += 1) {
          const value = data[at + c * cells] as number;
          if (value > best) {
            best = value;
            classId = c - 5;
          }
        }
        const score = weight * best ** 0.4;
        if (score < thresholdOf(settings, classId)) continue;
        const x = (((cell % columns) + Math.tanh(data[at + cells] as number)) / columns) * net.width;
        const y = ((Math.floor(cell / columns) + Math.tanh(data[at + 2 * cells] as number)) / rows) * net.height;
        const halfWidth = (sigmoid(data[at + 3 * cells] as number) * net.width) / 2;
        const halfHeight = (sigmoid(data[at + 4 * cells] as number) * net.height) / 2;
        into.push(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, classId);
      }
    };
  },
};
