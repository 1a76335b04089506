/**
 * 8-bit pixels to the input of a network: y = scale * (x - offset[c]), the formula of nvinfer.
 */

export interface TensorLayout {
  readonly networkWidth: number;
  readonly networkHeight: number;
  /** Where the picture lies in the input, in network pixels (see `fitPicture`). */
  readonly offsetX: number;
  readonly offsetY: number;
  /** Order of the network's channels. */
  readonly order: 'RGB' | 'BGR';
  readonly layout: 'NCHW' | 'NHWC';
}

export interface TensorNormalisation {
  /** `net-scale-factor`. */
  readonly scale: number;
  /** `offsets`, in the order of the network's channels. */
  readonly offsets: readonly [number, number, number];
}

/** Channel of the network that each plane of gbrp (green, blue, red) becomes. */
const CHANNEL_OF_PLANE = { RGB: [1, 2, 0], BGR: [1, 0, 2] } as const;

/** Elements of one picture of a batch. */
export function tensorLength(layout: TensorLayout): number {
  return 3 * layout.networkWidth * layout.networkHeight;
}

/**
 * Fills a whole input with the normalised grey of the padding. Done once: `TensorWriter.write` leaves the padding
 * alone. nvinfer pads with black (0); YOLO families were trained with 114.
 */
export function fillPad(out: Float32Array, padValue: number, layout: TensorLayout, norm: TensorNormalisation): void {
  const grey = norm.offsets.map((offset) => norm.scale * (padValue - offset));
  const plane = layout.networkWidth * layout.networkHeight;
  for (let channel = 0; channel < 3; channel += 1) {
    const value = grey[channel] as number;
    if (layout.layout === 'NCHW') out.fill(value, channel * plane, (channel + 1) * plane);
    else for (let i = channel; i < 3 * plane; i += 3) out[i] = value;
  }
}

/**
 * Writes pictures of one shape into tensors. Holds one table of 256 values a channel, so that a pixel costs one
 * look-up whatever the normalisation; models that take plain 0..255 (YOLOX) cost a converting copy only.
 */
export class TensorWriter {
  readonly #layout: TensorLayout;
  readonly #tables: readonly [Float32Array, Float32Array, Float32Array];
  readonly #plain: boolean;

  constructor(layout: TensorLayout, norm: TensorNormalisation) {
    this.#layout = layout;
    const table = (offset: number): Float32Array =>
      Float32Array.from({ length: 256 }, (_, x) => norm.scale * (x - offset));
    this.#tables = [table(norm.offsets[0]), table(norm.offsets[1]), table(norm.offsets[2])];
    this.#plain = norm.scale === 1 && norm.offsets.every((offset) => offset === 0);
  }

  /**
   * @param gbrp three planes of `width * height` bytes, green, blue, red (ffmpeg `-pix_fmt gbrp`), without padding
   * @param width size of the picture in pixels; with the offsets it must fit into the network input
   * @param out one picture of the input tensor, `tensorLength` long, filled by {@link fillPad} before the first use
   */
  write(gbrp: Uint8Array, width: number, height: number, out: Float32Array): void {
    const channels = CHANNEL_OF_PLANE[this.#layout.order];
    for (let plane = 0; plane < 3; plane += 1) {
      const pixels = gbrp.subarray(plane * width * height, (plane + 1) * width * height);
      const channel = channels[plane] as number;
      if (this.#layout.layout === 'NHWC') this.#writeInterleaved(pixels, width, height, channel, out);
      else if (this.#plain) this.#copyPlane(pixels, width, height, channel, out);
      else this.#writePlane(pixels, width, height, channel, out);
    }
  }

  /**
   * The same for packed pixels, three bytes each in the order red, green, blue (`rgb24`) or blue, green, red
   * (`bgr24`). Slower than planes: prefer gbrp.
   */
  writePacked(packed: Uint8Array, packing: 'rgb24' | 'bgr24', width: number, height: number, out: Float32Array): void {
    const { networkWidth, networkHeight, offsetX, offsetY, layout, order } = this.#layout;
    const same = (packing === 'rgb24') === (order === 'RGB');
    const plane = networkWidth * networkHeight;
    const [step, apart] = layout === 'NCHW' ? [1, plane] : [3, 1];
    for (let channel = 0; channel < 3; channel += 1) {
      const table = this.#tables[channel] as Float32Array;
      for (let y = 0; y < height; y += 1) {
        let from = y * width * 3 + (same ? channel : 2 - channel);
        let to = ((y + offsetY) * networkWidth + offsetX) * step + channel * apart;
        for (let x = 0; x < width; x += 1, from += 3, to += step) out[to] = table[packed[from] as number] as number;
      }
    }
  }

  /** `TypedArray.set` converts bytes to floats in one native loop. */
  #copyPlane(pixels: Uint8Array, width: number, height: number, channel: number, out: Float32Array): void {
    const { networkWidth, networkHeight, offsetX, offsetY } = this.#layout;
    const base = channel * networkWidth * networkHeight + offsetY * networkWidth + offsetX;
    if (width === networkWidth) {
      out.set(pixels, base);
      return;
    }
    for (let y = 0; y < height; y += 1) out.set(pixels.subarray(y * width, (y + 1) * width), base + y * networkWidth);
  }

  #writePlane(pixels: Uint8Array, width: number, height: number, channel: number, out: Float32Array): void {
    const { networkWidth, networkHeight, offsetX, offsetY } = this.#layout;
    const table = this.#tables[channel] as Float32Array;
    const base = channel * networkWidth * networkHeight + offsetY * networkWidth + offsetX;
    if (width === networkWidth) lookUp(table, pixels, 0, width * height, out, base);
    else for (let y = 0; y < height; y += 1) lookUp(table, pixels, y * width, width, out, base + y * networkWidth);
  }

  #writeInterleaved(pixels: Uint8Array, width: number, height: number, channel: number, out: Float32Array): void {
    const { networkWidth, offsetX, offsetY } = this.#layout;
    const table = this.#tables[channel] as Float32Array;
    let from = 0;
    for (let y = 0; y < height; y += 1) {
      let to = ((y + offsetY) * networkWidth + offsetX) * 3 + channel;
      const end = to + width * 3;
      for (; to < end; to += 3, from += 1) out[to] = table[pixels[from] as number] as number;
    }
  }
}

/** The inner loop, free of everything that hinders the optimiser. */
function lookUp(
  table: Float32Array,
  pixels: Uint8Array,
  from: number,
  count: number,
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < count; i += 1) out[to + i] = table[pixels[from + i] as number] as number;
}
