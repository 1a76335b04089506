import { VantageError } from '@vantage/contracts';
import type { OnnxModel, OnnxValue } from '@vantage/onnx';

/** The input that takes pictures, as the file declares it. */
export interface PictureShape {
  readonly name: string;
  readonly type: string;
  readonly layout: 'NCHW' | 'NHWC';
  readonly channels: 1 | 3;
  /** Undefined where the model leaves it open. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** True where the number of pictures of a run is open. */
  readonly openBatch: boolean;
}

const PICTURE_TYPES = new Set(['float32', 'float16', 'uint8', 'int8', 'float64', 'int32']);

/**
 * The input for pictures among a model's inputs.
 *
 * @throws VantageError `MODEL_HAS_NO_PICTURE_INPUT`, naming all inputs
 */
export function pictureShape(model: OnnxModel, file: string): PictureShape {
  for (const input of model.inputs) {
    const shape = asPicture(input);
    if (shape) return shape;
  }
  throw new VantageError(
    'MODEL_HAS_NO_PICTURE_INPUT',
    `${file} takes no pictures: its inputs are ${model.inputs.map(describeValue).join(', ') || 'none'}; ` +
      'a picture has 1 or 3 channels in front of or behind height and width',
  );
}

function asPicture({ name, type, dims }: OnnxValue): PictureShape | undefined {
  if (dims === undefined || dims.length < 3 || dims.length > 4 || !PICTURE_TYPES.has(type)) return undefined;
  const size = (dim: number | string | undefined): number | undefined =>
    typeof dim === 'number' && dim > 0 ? dim : undefined;
  const own = dims.slice(-3);
  const [front, middle, back] = own.map(size);
  const openBatch = dims.length === 4 && size(dims[0]) === undefined;
  const isChannels = (dim: number | undefined): dim is 1 | 3 => dim === 1 || dim === 3;
  if (isChannels(front)) return { name, type, layout: 'NCHW', channels: front, height: middle, width: back, openBatch };
  if (isChannels(back)) return { name, type, layout: 'NHWC', channels: back, height: front, width: middle, openBatch };
  // Everything is open: most exporters put the channels first.
  if (own.every((dim) => size(dim) === undefined) || front === undefined) {
    return { name, type, layout: 'NCHW', channels: 3, height: middle, width: back, openBatch };
  }
  return undefined;
}

/** `images float32 [1,3,416,416]`, open sizes by their name. */
export function describeValue({ name, type, dims }: OnnxValue): string {
  return `${name} ${type}${dims === undefined ? '' : ` [${dims.join(',')}]`}`;
}
