import { floatsOf, isRequested, numberAt } from '../parsers/shape.ts';
import type { NetworkInfo, TensorData, TensorInfo } from '../parsers/types.ts';
import type { TaskParser } from './types.ts';

const BLANKS = /^(<?\[?(blank|blk|ctc)\]?>?|)$/i;

/**
 * Text from a sequence of character scores, greedy connectionist temporal classification: the best symbol of each
 * step, repeats merged, blanks dropped; score = mean of the steps that are kept.
 *
 * Layouts: `[batch, steps, symbols]` (PaddleOCR), `[steps, batch, symbols]` (CRNN), `[batch, symbols, steps]` (LPRNet),
 * any of them with a 1 between; or finished symbols `[batch, steps]` with their scores (TAO LPRNet). The alphabet are
 * the labels. Where the blank is follows from the number of symbols: one more than labels is a blank in front (PaddleOCR;
 * behind with LPRNet), two more a blank in front and a space behind; else the label that is empty or called `blank`.
 */
export const ctcText: TaskParser = {
  name: 'ctc-text',
  aliases: ['ctc', 'ocr', 'crnn', 'paddleocr', 'lprnet', 'lpr', 'NvDsInferParseCustomNVPlate'],
  task: 'text',
  source: 'PaddlePaddle/PaddleOCR, ppocr/postprocess/rec_postprocess.py; NVIDIA-AI-IOT/deepstream_lpr_app',

  match(outputs, net) {
    const layout = layoutOf(outputs, net);
    if (layout === undefined) return undefined;
    const { symbols } = layout;
    const letters = net.labels?.length ?? 0;
    const agrees = letters > 0 && symbols >= letters && symbols <= letters + 2;
    if (layout.scores === layout.index) {
      return { score: agrees ? 0.7 : 0.35, reason: `one output of steps with ${symbols} symbols each` };
    }
    return { score: 0.7, reason: 'an output of symbols and one of their scores' };
  },

  create(outputs, net, { labels, componentId }) {
    const plan = layoutOf(outputs, net);
    return (tensors, batchIndex) => {
      const layout =
        layoutOf(
          tensors.map((tensor, i) => withType(tensor, outputs[i])),
          net,
        ) ?? plan;
      if (layout === undefined) return { task: 'text', readings: [] };
      const alphabet = alphabetOf(layout, labels, net);
      const reading =
        layout.scores === layout.index ? readScores(tensors, layout, batchIndex) : readIds(tensors, layout, batchIndex);
      let text = '';
      let sum = 0;
      let kept = 0;
      let before = -1;
      for (let step = 0; step < reading.ids.length; step += 1) {
        const id = reading.ids[step] as number;
        if (id !== before && id !== alphabet.blank && id >= 0) {
          text += alphabet.symbols[id] ?? '';
          sum += reading.scores[step] as number;
          kept += 1;
        }
        before = id;
      }
      return { task: 'text', readings: [{ text, score: kept === 0 ? 0 : sum / kept, componentId }] };
    };
  },
};

function withType(tensor: TensorData, info: TensorInfo | undefined): TensorInfo {
  return { name: tensor.name, dims: tensor.dims, type: info?.type ?? '' };
}

interface Layout {
  /** Output of symbol scores, or of symbols. */
  readonly index: number;
  /** Output of scores; the same as `index` when symbols have to be found. */
  readonly scores: number;
  readonly symbols: number;
  readonly steps: number;
  /** Distances in elements. */
  readonly perBatch: number;
  readonly perStep: number;
  readonly perSymbol: number;
}

function layoutOf(outputs: readonly TensorInfo[], net: NetworkInfo): Layout | undefined {
  if (outputs.length === 2) {
    const index = outputs.findIndex(({ dims, type }) => dims.length === 2 && /int/.test(type));
    const scores = outputs.findIndex(({ dims, type }) => dims.length === 2 && /float/.test(type));
    const steps = outputs[index]?.dims[1];
    if (index < 0 || scores < 0 || steps === undefined || steps !== outputs[scores]?.dims[1]) return undefined;
    return { index, scores, symbols: 0, steps, perBatch: steps, perStep: 1, perSymbol: 0 };
  }
  const [output] = outputs;
  if (outputs.length !== 1 || output === undefined) return undefined;
  // A 1 in the middle (height of the feature map) says nothing; a batch in front does.
  const dims = output.dims.length === 4 ? output.dims.filter((dim, i) => i === 0 || dim !== 1) : output.dims;
  const [a = 0, b = 0, c = 0] = dims;
  if (dims.length !== 3) return undefined;
  const letters = net.labels?.length ?? 0;
  const isAlphabet = (size: number): boolean => letters > 0 && size >= letters && size <= letters + 2;
  if (isAlphabet(b) && !isAlphabet(c) && c !== 0) {
    return { index: 0, scores: 0, symbols: b, steps: c, perBatch: b * c, perStep: 1, perSymbol: c };
  }
  if (c < 2) return undefined;
  if (b === 1 && a > 1) return { index: 0, scores: 0, symbols: c, steps: a, perBatch: c, perStep: c, perSymbol: 1 };
  return { index: 0, scores: 0, symbols: c, steps: b, perBatch: b * c, perStep: c, perSymbol: 1 };
}

interface Alphabet {
  readonly symbols: readonly string[];
  readonly blank: number;
}

function alphabetOf({ symbols, index, scores }: Layout, labels: readonly string[], net: NetworkInfo): Alphabet {
  const named = labels.findIndex((label) => BLANKS.test(label) && label !== ' ');
  if (index !== scores) return { symbols: labels, blank: named >= 0 ? named : labels.length };
  const extra = symbols - labels.length;
  if (extra === 0 && named >= 0) return { symbols: labels, blank: named };
  if (extra === 1 && isRequested(net, 'lprnet', 'lpr')) return { symbols: labels, blank: labels.length };
  if (extra === 2) return { symbols: ['', ...labels, ' '], blank: 0 };
  if (extra === 1) return { symbols: ['', ...labels], blank: 0 };
  return { symbols: labels, blank: extra > 2 ? 0 : symbols - 1 };
}

interface Steps {
  readonly ids: Int32Array;
  readonly scores: Float32Array;
}

function readScores(tensors: readonly TensorData[], layout: Layout, batchIndex: number): Steps {
  const data = floatsOf(tensors, layout.index);
  const { symbols, steps, perStep, perSymbol } = layout;
  const ids = new Int32Array(steps);
  const scores = new Float32Array(steps);
  for (let step = 0; step < steps; step += 1) {
    const at = batchIndex * layout.perBatch + step * perStep;
    let best = 0;
    let score = data[at] as number;
    let sum = 0;
    let inRange = true;
    for (let s = 0; s < symbols; s += 1) {
      const value = data[at + s * perSymbol] as number;
      sum += value;
      if (!(value >= 0 && value <= 1.001)) inRange = false;
      if (value > score) {
        score = value;
        best = s;
      }
    }
    if (!(inRange && Math.abs(sum - 1) < 0.05)) {
      let total = 0;
      for (let s = 0; s < symbols; s += 1) total += Math.exp((data[at + s * perSymbol] as number) - score);
      score = 1 / total;
    }
    ids[step] = best;
    scores[step] = Number.isFinite(score) ? score : 0;
  }
  return { ids, scores };
}

function readIds(tensors: readonly TensorData[], { index, scores, steps }: Layout, batchIndex: number): Steps {
  const ids = new Int32Array(steps);
  const tensor = tensors[index] as TensorData;
  for (let step = 0; step < steps; step += 1) ids[step] = numberAt(tensor, batchIndex * steps + step);
  return { ids, scores: floatsOf(tensors, scores).slice(batchIndex * steps, (batchIndex + 1) * steps) };
}
