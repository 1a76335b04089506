import type { InferSpec } from '@vantage/deepstream';
import type { TensorData, TensorInfo } from '@vantage/vision';
import {
  channelsDoNotFit,
  inputNotSupported,
  modelWithoutPicture,
  networkSizeMismatch,
  networkSizeUnknown,
} from '../errors.ts';
import { isPictureType, type PictureType } from './pixel-table.ts';

/** The input that takes the picture, with everything that the model leaves open settled. */
export interface PictureInput {
  readonly name: string;
  readonly type: PictureType;
  readonly layout: 'NCHW' | 'NHWC';
  readonly channels: 1 | 3;
  readonly width: number;
  readonly height: number;
  /** Pictures of a run: fixed by the model, or `open`; `none` for a model without a batch dimension. */
  readonly batch: number | 'open' | 'none';
  /** `width` is the configuration's: the model takes wider pictures, too. */
  readonly widthIsOpen?: boolean;
}

/** Order of the network's channels. */
export type ChannelOrder = 'RGB' | 'BGR' | 'GRAY';

/** Shape of a run with `count` pictures. */
export function pictureDims({ layout, channels, width, height, batch }: PictureInput, count: number): number[] {
  const own = layout === 'NHWC' ? [height, width, channels] : [channels, height, width];
  return batch === 'none' ? own : [count, ...own];
}

/**
 * Finds the input for pictures: a number type of {@link PictureType}, with 1 or 3 channels in front of or behind height
 * and width.
 *
 * @throws VantageError `MODEL_HAS_NO_PICTURE_INPUT`, `NETWORK_SIZE_UNKNOWN`, `NETWORK_SIZE_MISMATCH`,
 *   `MODEL_CHANNELS_MISMATCH`
 */
export function findPictureInput(model: string, inputs: readonly TensorInfo[], infer: InferSpec): PictureInput {
  const found = inputs.flatMap((input) => candidate(input, infer))[0];
  if (found === undefined) throw modelWithoutPicture(model, describe(inputs));
  const { input, type, layout, batch } = found;
  const [channels = 0, height = 0, width = 0] =
    layout === 'NHWC'
      ? [input.dims.at(-1), input.dims.at(-3), input.dims.at(-2)]
      : [input.dims.at(-3), input.dims.at(-2), input.dims.at(-1)];
  const asked = infer.inferDims;
  const wanted = channels > 0 ? channels : (asked?.channels ?? (infer.colorFormat === 'GRAY' ? 1 : 3));
  if (wanted !== 1 && wanted !== 3) throw modelWithoutPicture(model, describe(inputs));
  if (wanted === 3 && infer.colorFormat === 'GRAY') throw channelsDoNotFit(model, describe([input]));
  const size = { width: width > 0 ? width : asked?.width, height: height > 0 ? height : asked?.height };
  if (size.width === undefined || size.height === undefined) throw networkSizeUnknown(model, describe([input]));
  if (asked && (asked.width !== size.width || asked.height !== size.height)) {
    throw networkSizeMismatch(
      model,
      `${asked.channels};${asked.height};${asked.width}`,
      `${size.height}x${size.width} (height x width)`,
    );
  }
  return {
    name: input.name,
    type,
    layout,
    channels: wanted,
    width: size.width,
    height: size.height,
    batch,
    widthIsOpen: width < 1,
  };
}

/** Channels as the configuration names them; a network with one channel takes grey pictures whatever it says. */
export function channelOrder({ channels }: PictureInput, infer: InferSpec): ChannelOrder {
  if (channels === 1) return 'GRAY';
  return infer.colorFormat === 'BGR' ? 'BGR' : 'RGB';
}

/**
 * Values of the other inputs. Detectors that undo the scaling of the picture by themselves are told that it has the
 * network's size, so that their boxes are in network pixels as those of the others.
 *
 * @throws VantageError `MODEL_INPUT_NOT_SUPPORTED`
 */
export function otherInputs(
  model: string,
  inputs: readonly TensorInfo[],
  picture: PictureInput,
): ((count: number) => TensorData[]) | undefined {
  const others = inputs.filter(({ name }) => name !== picture.name);
  if (others.length === 0) return undefined;
  const rows = others.map((input) => ({ input, row: sizeRow(input, picture) }));
  const unknown = rows.find(({ row }) => row === undefined);
  if (unknown)
    throw inputNotSupported(
      model,
      describe([unknown.input]),
      describe([inputs.find((one) => one.name === picture.name) ?? unknown.input]),
    );
  return (count) =>
    rows.map(({ input: { name, type }, row = [] }): TensorData => {
      const values = Array.from({ length: count }, () => row).flat();
      const dims = [count, row.length];
      if (type === 'int64') return { name, dims, type, data: BigInt64Array.from(values, BigInt) };
      return { name, dims, type, data: type === 'int32' ? Int32Array.from(values) : Float32Array.from(values) };
    });
}

/** Known inputs besides the picture: YOLOv3 of the ONNX model zoo and PaddleDetection (height, width), RT-DETR (width, height). */
function sizeRow({ name, dims, type }: TensorInfo, { width, height }: PictureInput): number[] | undefined {
  if (dims.length !== 2 || (dims[1] !== 2 && dims[1] !== -1)) return undefined;
  if (!['float32', 'int64', 'int32'].includes(type)) return undefined;
  if (/^(image_shape|im_shape)/.test(name)) return [height, width];
  if (/^scale_factor/.test(name)) return [1, 1];
  return /^orig(inal)?_(target_)?sizes?/.test(name) ? [width, height] : undefined;
}

interface Candidate {
  readonly input: TensorInfo;
  readonly type: PictureType;
  readonly layout: 'NCHW' | 'NHWC';
  readonly batch: PictureInput['batch'];
}

function candidate(input: TensorInfo, infer: InferSpec): Candidate[] {
  const { dims, type } = input;
  if (!isPictureType(type) || dims.length < 3 || dims.length > 4) return [];
  const [front = 0, , back = 0] = dims.slice(-3);
  const isChannels = (dim: number): boolean => dim === 1 || dim === 3;
  const [first = 0] = dims;
  const batch = dims.length === 3 ? 'none' : first > 0 ? first : 'open';
  const nhwc = isChannels(back) && (!isChannels(front) || infer.inputOrder === 'NHWC');
  if (nhwc) return [{ input, type, batch, layout: 'NHWC' }];
  if (isChannels(front)) return [{ input, type, batch, layout: 'NCHW' }];
  // Everything is open: the configuration decides.
  if (front < 1) return [{ input, type, batch, layout: back < 1 ? infer.inputOrder : 'NCHW' }];
  return back < 1 ? [{ input, type, batch, layout: 'NHWC' }] : [];
}

/** `images float32 [1,3,416,416]`, as it stands in reports. */
export function describe(tensors: readonly TensorInfo[]): string {
  return tensors.map(({ name, type, dims }) => `${name} ${type} [${dims.join(',')}]`).join(', ') || 'none';
}
