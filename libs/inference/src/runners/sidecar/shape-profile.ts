import type { InferSpec } from '@vantage/deepstream';
import type { OnnxModel } from '@vantage/onnx';
import type { ShapeProfile } from './provider-options.ts';

/**
 * Sizes for the open dimensions of a model, so that TensorRT builds one engine for every batch up to `batch-size`; it
 * would build a new one, which takes minutes, whenever a larger batch comes. Undefined when nothing is open, or when
 * more is open than the configuration says.
 */
export function shapeProfile(model: OnnxModel, infer: InferSpec): ShapeProfile | undefined {
  const least: string[] = [];
  const most: string[] = [];
  for (const { name, dims } of model.inputs) {
    if (dims === undefined) return undefined;
    if (dims.every((dim) => typeof dim === 'number')) continue;
    const sizes = dims.map((dim, at) => (typeof dim === 'number' || at === 0 ? dim : pictureSize(dims, at, infer)));
    if (sizes.some((size, at) => at > 0 && typeof size !== 'number')) return undefined;
    const open = typeof sizes[0] !== 'number';
    const text = (batch: number): string => `${name}:${[open ? batch : sizes[0], ...sizes.slice(1)].join('x')}`;
    least.push(text(1));
    most.push(text(Math.max(1, infer.batchSize)));
  }
  if (least.length === 0) return undefined;
  return { min: least.join(','), best: most.join(','), max: most.join(',') };
}

function pictureSize(dims: readonly (number | string)[], at: number, { inferDims }: InferSpec): number | undefined {
  if (inferDims === undefined || dims.length !== 4) return undefined;
  const packed = dims[3] === inferDims.channels;
  return [undefined, inferDims.channels, inferDims.height, inferDims.width][packed ? (at % 3) + 1 : at];
}
