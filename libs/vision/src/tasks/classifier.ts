import { floatsOf, isRequested, knownClassCount, sigmoid } from '../parsers/shape.ts';
import type { NetworkInfo, TensorInfo } from '../parsers/types.ts';
import type { Classification } from '../results.ts';
import { probabilities, vectorLength } from './vectors.ts';
import type { TaskOptions, TaskParser } from './types.ts';

const MULTI_LABEL = ['multi-label', 'attributes'] as const;

/**
 * Classifiers with one head or several: each output is `[batch, classes]` (or with ones behind). Softmax is applied
 * where the outputs are logits. As in nvinfer each head gives its best class if it is above the threshold.
 */
export const classifier: TaskParser = {
  name: 'classifier',
  aliases: [
    'classification',
    'softmax',
    'efficientnet-lite4',
    'NvDsInferClassiferParseCustomSoftmax',
    'NvDsInferClassifierParseCustomSoftmax',
    'NvDsInferParseCustomSoftmax',
  ],
  task: 'classification',
  source:
    'NVIDIA DeepStream, sources/libs/nvdsinfer/nvdsinfer_context_impl_output_parsing.cpp (parseAttributesFromSoftmaxLayers)',
  match: matchHeads,
  create: (outputs, _net, options) => createHeads(outputs, options, false),
};

/** Attributes that do not exclude each other (sigmoid): one output `[batch, attributes]`, all above the threshold. */
export const multiLabel: TaskParser = {
  name: MULTI_LABEL[0],
  aliases: [MULTI_LABEL[1], 'multilabel-classifier'],
  task: 'classification',
  source: 'dangweili/pedestrian-attribute-recognition-pytorch, baseline/model/DeepMAR.py',
  match(outputs, net) {
    return isRequested(net, ...MULTI_LABEL, 'multilabel-classifier') ? matchHeads(outputs, net) : undefined;
  },
  create: (outputs, _net, options) => createHeads(outputs, options, true),
};

function headsOf(outputs: readonly TensorInfo[]): { index: number; classes: number }[] | undefined {
  const heads = [];
  for (const [index, output] of outputs.entries()) {
    if (output.type === 'string' || output.type === 'sequence') continue;
    const classes = vectorLength(output);
    if (classes === undefined) return undefined;
    heads.push({ index, classes });
  }
  return heads.length > 0 && heads.length <= 32 ? heads : undefined;
}

function matchHeads(outputs: readonly TensorInfo[], net: NetworkInfo): { score: number; reason: string } | undefined {
  const heads = headsOf(outputs);
  if (heads === undefined) return undefined;
  const sizes = heads.map(({ classes }) => (classes < 0 ? '?' : classes)).join(', ');
  const known = knownClassCount(net);
  const agrees = heads.length === 1 && known !== undefined && known === heads[0]?.classes;
  return {
    score: agrees ? 0.8 : known === undefined || heads.length > 1 ? 0.5 : 0.45,
    reason: heads.length === 1 ? `one output of ${sizes} scores` : `${heads.length} outputs of ${sizes} scores`,
  };
}

function createHeads(
  outputs: readonly TensorInfo[],
  { labels, labelRows, componentId, threshold = 0, topK = 1, classifierType }: TaskOptions,
  independent: boolean,
): ReturnType<TaskParser['create']> {
  const heads = headsOf(outputs) ?? [];
  let scratch = new Float32Array(0);
  const labelOf = (head: number, classId: number): string =>
    (heads.length > 1 || labelRows?.length === 1 ? labelRows?.[head]?.[classId] : labels[classId]) ??
    `class-${classId}`;
  return (tensors, batchIndex) => {
    const classifications: Classification[] = [];
    for (const [head, { index }] of heads.entries()) {
      const tensor = tensors[index];
      const data = floatsOf(tensors, index);
      const count = data.length === 0 ? 0 : (tensor?.dims ?? []).slice(1).reduce((a, b) => a * b, 1);
      if (scratch.length < count) scratch = new Float32Array(count);
      const kind = probabilities(data, batchIndex * count, count, scratch);
      if (independent && kind === 'logits') {
        for (let c = 0; c < count; c += 1) scratch[c] = sigmoid(data[batchIndex * count + c] as number);
      }
      const name = nameOf(classifierType, outputs[index]?.name ?? '', heads.length);
      const limit = independent ? count : topK;
      for (const classId of best(scratch, count, limit, independent && threshold === 0 ? 0.5 : threshold)) {
        const confidence = scratch[classId] as number;
        classifications.push({ name, label: labelOf(head, classId), classId, confidence, componentId });
      }
    }
    return { task: 'classification', classifications };
  };
}

/** `type` for the only head; with several heads their outputs' names tell them apart. */
function nameOf(type: string | undefined, output: string, heads: number): string {
  if (type === undefined || type === '') return output;
  return heads === 1 ? type : `${type}.${output}`;
}

/** The best classes above the threshold, best first. A class whose score is no number is never among them. */
function best(scores: Float32Array, count: number, limit: number, threshold: number): number[] {
  const found: number[] = [];
  for (let c = 0; c < count; c += 1) {
    const score = scores[c] as number;
    if (!(score > threshold)) continue;
    if (found.length === limit && score <= (scores[found[limit - 1] as number] as number)) continue;
    let at = Math.min(found.length, limit - 1);
    while (at > 0 && (scores[found[at - 1] as number] as number) < score) {
      found[at] = found[at - 1] as number;
      at -= 1;
    }
    if (at < limit) found[at] = c;
  }
  return found;
}
