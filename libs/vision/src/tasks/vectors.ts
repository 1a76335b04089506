import type { TensorInfo } from '../parsers/types.ts';

/** Length of an output that is one vector a picture, `[batch, n]` or `[batch, n, 1, 1]`; undefined for others. */
export function vectorLength({ dims, type }: TensorInfo): number | undefined {
  if (dims.length < 2 || type === 'string' || type === 'sequence') return undefined;
  const large = dims.slice(1).filter((dim) => dim !== 1);
  const [length] = large;
  return large.length === 1 && length !== undefined && length > 1 ? length : undefined;
}

/** Probabilities of `count` scores from `base`, written to `out`: as they are, when they are probabilities already. */
export function probabilities(
  scores: Float32Array,
  base: number,
  count: number,
  out: Float32Array,
): 'probabilities' | 'independent' | 'logits' {
  let sum = 0;
  let largest = -Infinity;
  let inRange = true;
  for (let i = 0; i < count; i += 1) {
    const value = scores[base + i] as number;
    sum += value;
    if (value > largest) largest = value;
    if (!(value >= 0 && value <= 1.001)) inRange = false;
    out[i] = value;
  }
  if (inRange && Math.abs(sum - 1) < 0.02) return 'probabilities';
  // Sigmoid outputs: each class for itself.
  if (inRange && sum > 0) return 'independent';
  let total = 0;
  for (let i = 0; i < count; i += 1) {
    const value = Math.exp((scores[base + i] as number) - largest);
    out[i] = value;
    total += value;
  }
  for (let i = 0; i < count; i += 1) out[i] = (out[i] as number) / total;
  return 'logits';
}
