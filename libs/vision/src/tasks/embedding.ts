import { floatsOf } from '../parsers/shape.ts';
import { vectorLength } from './vectors.ts';
import type { TaskParser } from './types.ts';

const SHORTEST = 32;

/**
 * Embeddings for re-identification and recognition: one vector `[batch, n]` a picture, made length 1, so that a dot
 * product of two is their cosine.
 */
export const embedding: TaskParser = {
  name: 'embedding',
  aliases: ['embeddings', 'reid', 'feature-vector', 'arcface', 'osnet', 'NvDsInferParseReIdentification'],
  task: 'embedding',
  source: 'OpenVINO open_model_zoo, person-reidentification-retail-0288; deng et al., ArcFace (arXiv:1801.07698)',

  match(outputs, net) {
    const index = outputs.findIndex((output) => (vectorLength(output) ?? 0) >= SHORTEST);
    const output = outputs[index];
    const length = output === undefined ? undefined : vectorLength(output);
    if (output === undefined || length === undefined || outputs.length > 3) return undefined;
    const named = /embed|feat|reid|fc1$|descriptor/i.test(output.name);
    const nothingKnown = net.labels === undefined || net.labels.length === 0;
    return {
      score: named && nothingKnown ? 0.75 : nothingKnown && length % SHORTEST === 0 ? 0.55 : 0.3,
      reason: `an output of ${length} numbers${nothingKnown ? ' and no labels' : ''}`,
    };
  },

  create(outputs, _net, { componentId }) {
    const index = outputs.findIndex((output) => (vectorLength(output) ?? 0) >= SHORTEST);
    return (tensors, batchIndex) => {
      const data = floatsOf(tensors, index);
      const length = (tensors[index]?.dims ?? []).slice(1).reduce((a, b) => a * b, 1);
      const values = data.slice(batchIndex * length, (batchIndex + 1) * length);
      let sum = 0;
      for (const value of values) sum += value * value;
      const norm = Math.sqrt(sum);
      if (Number.isFinite(norm) && norm > 0)
        for (let i = 0; i < length; i += 1) values[i] = (values[i] as number) / norm;
      else values.fill(0);
      return { task: 'embedding', embedding: { values, norm: Number.isFinite(norm) ? norm : 0, componentId } };
    };
  },
};
