import ort from 'onnxruntime-node';
import type { InferSpec } from '@vantage/deepstream';
import { TensorWriter, fillPad, fitPicture, tensorLength, type Fit, type TensorLayout } from '@vantage/vision';
import type { FrameRequest } from '../frame-port.ts';

export interface PictureTensorOptions {
  readonly width: number;
  readonly height: number;
  readonly infer: InferSpec;
  readonly layout: 'NCHW' | 'NHWC';
  /** Grey value (0..255, before normalisation) of what the picture does not cover. */
  readonly padValue: number;
}

/** The network's input, allocated once. The padding is written when the picture's shape changes, not for every frame. */
export class PictureTensor {
  readonly tensor: ort.Tensor;
  readonly #options: PictureTensorOptions;
  readonly #data: Float32Array;
  #shape = '';
  #current: { fit: Fit; writer: TensorWriter } | undefined;

  constructor(options: PictureTensorOptions) {
    this.#options = options;
    const { width, height, layout } = options;
    this.#data = new Float32Array(3 * width * height);
    this.tensor = new ort.Tensor(
      'float32',
      this.#data,
      layout === 'NHWC' ? [1, height, width, 3] : [1, 3, height, width],
    );
  }

  /** Writes the picture where its padding leaves room, normalised as the configuration says. */
  write(frame: FrameRequest): Fit {
    const { fit, writer } = this.#shaped(frame);
    const { pictureWidth, pictureHeight } = frame;
    const pixels = new Uint8Array(frame.pixels, 0, 3 * pictureWidth * pictureHeight);
    writer.write(pixels, pictureWidth, pictureHeight, this.#data);
    return fit;
  }

  #shaped(frame: FrameRequest): { fit: Fit; writer: TensorWriter } {
    const shape = `${frame.pictureWidth}x${frame.pictureHeight}/${frame.view.width}x${frame.view.height}`;
    if (this.#current && shape === this.#shape) return this.#current;
    const { width, height, infer, layout, padValue } = this.#options;
    const fit = fitPicture({
      sourceWidth: frame.view.width,
      sourceHeight: frame.view.height,
      networkWidth: width,
      networkHeight: height,
      keepAspect: infer.maintainAspectRatio,
      symmetric: infer.symmetricPadding,
    });
    const tensorLayout: TensorLayout = {
      networkWidth: width,
      networkHeight: height,
      offsetX: fit.offsetX,
      offsetY: fit.offsetY,
      order: infer.colorFormat === 'BGR' ? 'BGR' : 'RGB',
      layout,
    };
    const norm = { scale: infer.netScaleFactor, offsets: infer.offsets };
    fillPad(this.#data.subarray(0, tensorLength(tensorLayout)), padValue, tensorLayout, norm);
    this.#shape = shape;
    this.#current = { fit, writer: new TensorWriter(tensorLayout, norm) };
    return this.#current;
  }
}
