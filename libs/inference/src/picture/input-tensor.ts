import type { InferSpec } from '@vantage/deepstream';
import { fitPicture, type Box, type Fit, type TensorData } from '@vantage/vision';
import type { FrameRequest } from '../frame-port.ts';
import { Cropper, type PixelRect } from './cropper.ts';
import type { MeanPicture } from './mean-file.ts';
import { channelOrder, pictureDims, type ChannelOrder, type PictureInput } from './picture-input.ts';
import { isPlain, normalise, pictureArray, pixelTable, toElement, type PictureArray } from './pixel-table.ts';
import { writePlane, writePlaneWithMean, type PlaneTarget } from './plane-writer.ts';

export interface InputTensorOptions {
  readonly input: PictureInput;
  readonly infer: InferSpec;
  /** Grey value before normalisation of what the picture does not cover; undefined: what becomes 0. */
  readonly padValue: number | undefined;
  /** A line of text: as high as the network, as wide as its own shape asks, room to the right. */
  readonly isTextLine: boolean;
  readonly mean?: MeanPicture;
  /** Pictures there is room for. */
  readonly slots: number;
}

/** Where a picture lies in the input, and in the camera's frame. */
export interface Placement {
  readonly fit: Fit;
  /** Top left of what was looked at, in source pixels of the whole frame. */
  readonly left: number;
  readonly top: number;
}

type Picture = Pick<FrameRequest, 'pixels' | 'pictureWidth' | 'pictureHeight' | 'view'>;

/** Planes of gbrp that the channels of the network come from. */
const PLANES: Readonly<Record<Exclude<ChannelOrder, 'GRAY'>, readonly number[]>> = { RGB: [2, 0, 1], BGR: [1, 0, 2] };

/** The pictures of a batch, allocated once. Padding is written when the shape of a slot's picture changes. */
export class InputTensor {
  readonly #options: InputTensorOptions;
  readonly #data: PictureArray;
  readonly #length: number;
  /** By channel; undefined where the bytes are taken as they are. */
  readonly #tables: readonly (PictureArray | undefined)[];
  readonly #planes: readonly number[];
  readonly #element: (value: number, mean: number) => number;
  readonly #cropper: Cropper;
  readonly #shapes: string[] = [];
  #scratch = new Uint8Array(0);

  constructor(options: InputTensorOptions) {
    this.#options = options;
    const { input, infer, slots } = options;
    this.#cropper = new Cropper(infer.scalingFilter);
    const { type, channels, width, height } = input;
    const { netScaleFactor: scale, offsets } = infer;
    this.#length = channels * width * height;
    this.#data = pictureArray(type, slots * this.#length);
    this.#tables = Array.from({ length: channels }, (_, channel) => {
      const offset = offsets[channel] ?? 0;
      return isPlain(type, scale, offset) ? undefined : pixelTable(type, scale, offset);
    });
    const order = channelOrder(input, infer);
    this.#planes = order === 'GRAY' ? [0] : PLANES[order];
    this.#element = (value, mean) => toElement(type, normalise(value, scale, mean));
  }

  /** The first `count` slots: a view, to be run before the next write. */
  feed(count: number): TensorData {
    const { input } = this.#options;
    const data = count * this.#length === this.#data.length ? this.#data : this.#data.subarray(0, count * this.#length);
    return { name: input.name, dims: pictureDims(input, count), data, type: input.type };
  }

  /**
   * Writes a picture, or a region of it, into a slot.
   *
   * @returns where it lies; undefined when nothing of the region is inside of the picture
   * @throws RangeError when there are fewer pixels than the picture's size says
   */
  write(slot: number, picture: Picture, region?: Box): Placement | undefined {
    const { pictureWidth, pictureHeight, view } = picture;
    const needed = 3 * pictureWidth * pictureHeight;
    if (!(needed > 0) || picture.pixels.byteLength < needed) {
      throw new RangeError(
        `a picture of ${pictureWidth}x${pictureHeight} pixels needs ${needed} bytes, there are ${picture.pixels.byteLength}`,
      );
    }
    const rect = region ? cutOut(region, picture) : { left: 0, top: 0, width: pictureWidth, height: pictureHeight };
    if (rect === undefined) return undefined;
    const perX = view.width / pictureWidth;
    const perY = view.height / pictureHeight;
    const fit = this.#fit(rect, rect.width * perX, rect.height * perY, region === undefined);
    this.#pad(slot, fit);
    this.#paint(slot, fit, rect, picture);
    return { fit, left: view.left + rect.left * perX, top: view.top + rect.top * perY };
  }

  #fit(rect: PixelRect, sourceWidth: number, sourceHeight: number, whole: boolean): Fit {
    const { input, infer, isTextLine } = this.#options;
    const fit = fitPicture({
      sourceWidth,
      sourceHeight,
      networkWidth: input.width,
      networkHeight: input.height,
      keepAspect: infer.maintainAspectRatio,
      symmetric: infer.symmetricPadding && !isTextLine,
    });
    // PaddleOCR, tools/infer/predict_rec.py (resize_norm_img): the width is rounded up.
    if (isTextLine && infer.maintainAspectRatio) {
      const width = Math.min(input.width, Math.ceil((input.height * sourceWidth) / sourceHeight));
      const { height } = input;
      return { ...fit, width, height, scaleX: width / sourceWidth, scaleY: height / sourceHeight };
    }
    // A decoder may round the other way: a pixel more or less is no reason to scale a picture again.
    const near = Math.abs(rect.width - fit.width) <= 1 && Math.abs(rect.height - fit.height) <= 1;
    if (!whole || !near || rect.width > input.width - fit.offsetX || rect.height > input.height - fit.offsetY)
      return fit;
    const { width, height } = rect;
    return { ...fit, width, height, scaleX: width / sourceWidth, scaleY: height / sourceHeight };
  }

  #paint(slot: number, fit: Fit, rect: PixelRect, { pixels, pictureWidth, pictureHeight }: Picture): void {
    const { channels } = this.#options.input;
    const bytes = new Uint8Array(pixels, 0, 3 * pictureWidth * pictureHeight);
    const plane = pictureWidth * pictureHeight;
    const asItIs =
      rect.width === pictureWidth &&
      rect.height === pictureHeight &&
      fit.width === pictureWidth &&
      fit.height === pictureHeight;
    if (!asItIs) this.#cropper.aim(rect, fit.width, fit.height);
    const size = fit.width * fit.height;
    if (channels === 1) {
      if (this.#scratch.length < size * 4) this.#scratch = new Uint8Array(size * 4);
      const scratch = this.#scratch;
      let [source, apart] = [bytes, plane];
      if (!asItIs) {
        for (let i = 0; i < 3; i += 1) this.#cropper.crop(bytes, i * plane, pictureWidth, scratch.subarray(i * size));
        [source, apart] = [scratch, size];
      }
      toGrey(source, apart, size, scratch.subarray(3 * size));
      this.#writeChannel(slot, 0, fit, scratch, 3 * size);
      return;
    }
    if (!asItIs && this.#scratch.length < size) this.#scratch = new Uint8Array(size);
    for (let channel = 0; channel < channels; channel += 1) {
      const from = (this.#planes[channel] as number) * plane;
      if (asItIs) this.#writeChannel(slot, channel, fit, bytes, from);
      else {
        this.#cropper.crop(bytes, from, pictureWidth, this.#scratch);
        this.#writeChannel(slot, channel, fit, this.#scratch, 0);
      }
    }
  }

  #writeChannel(slot: number, channel: number, fit: Fit, pixels: Uint8Array, from: number): void {
    const { mean, input } = this.#options;
    const target = this.#target(slot, channel, fit.offsetX, fit.offsetY);
    if (mean === undefined) {
      writePlane(pixels, from, fit.width, fit.height, this.#tables[channel], target);
      return;
    }
    const rowStep = 3 * input.width;
    const base = fit.offsetY * rowStep + 3 * fit.offsetX + channel;
    const bytes = pixels.subarray(from, from + fit.width * fit.height);
    writePlaneWithMean(bytes, fit.width, fit.height, { values: mean.values, base, rowStep }, this.#element, target);
  }

  #target(slot: number, channel: number, x: number, y: number): PlaneTarget {
    const { layout, width, height, channels } = this.#options.input;
    const out = this.#data;
    const first = slot * this.#length;
    if (layout === 'NHWC') {
      return { out, base: first + (y * width + x) * channels + channel, rowStep: width * channels, step: channels };
    }
    return { out, base: first + channel * width * height + y * width + x, rowStep: width, step: 1 };
  }

  #pad(slot: number, fit: Fit): void {
    const shape = `${fit.offsetX},${fit.offsetY} ${fit.width}x${fit.height}`;
    if (this.#shapes[slot] === shape) return;
    this.#shapes[slot] = shape;
    const { input, infer, padValue, mean } = this.#options;
    const { width, height, channels, type } = input;
    if (fit.width === width && fit.height === height) return;
    const whole = { width, height, offsetX: 0, offsetY: 0 };
    if (mean !== undefined && padValue !== undefined) {
      const grey = new Uint8Array(width * height).fill(padValue);
      for (let channel = 0; channel < channels; channel += 1) {
        this.#writeChannel(slot, channel, { ...fit, ...whole }, grey, 0);
      }
      return;
    }
    for (let channel = 0; channel < channels; channel += 1) {
      const value = padValue === undefined ? 0 : normalise(padValue, infer.netScaleFactor, infer.offsets[channel] ?? 0);
      const { out, base, step } = this.#target(slot, channel, 0, 0);
      const end = base + width * height * step;
      const element = toElement(type, value);
      if (step === 1) out.fill(element, base, end);
      else for (let i = base; i < end; i += step) out[i] = element;
    }
  }
}

/**
 * A region in pixels of the picture, from the whole pixel above and left to that below and right, inside of the
 * picture.
 */
function cutOut(region: Box, { pictureWidth, pictureHeight, view }: Picture): PixelRect | undefined {
  const perX = pictureWidth / view.width;
  const perY = pictureHeight / view.height;
  const left = Math.max(0, Math.floor(exact((region.left - view.left) * perX)));
  const top = Math.max(0, Math.floor(exact((region.top - view.top) * perY)));
  const right = Math.min(pictureWidth, Math.ceil(exact((region.left + region.width - view.left) * perX)));
  const bottom = Math.min(pictureHeight, Math.ceil(exact((region.top + region.height - view.top) * perY)));
  // Numbers that are none fail here, too.
  return right > left && bottom > top ? { left, top, width: right - left, height: bottom - top } : undefined;
}

/** `0.1 + 0.2` of pixels: a box that ends on a pixel's edge must not take the next pixel. */
function exact(value: number): number {
  return Math.round(value * 1024) / 1024;
}

/** BT.601 luma in whole numbers, as ffmpeg's. */
function toGrey(source: Uint8Array, apart: number, count: number, into: Uint8Array): void {
  for (let i = 0; i < count; i += 1) {
    const green = source[i] as number;
    const blue = source[apart + i] as number;
    const red = source[2 * apart + i] as number;
    into[i] = (77 * red + 150 * green + 29 * blue + 128) >> 8;
  }
}
