/** A part of a picture in its pixels. */
export interface PixelRect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Weights are 11 bit, as OpenCV's: two multiplied with a byte fit into 31 bits. */
const ONE = 2048;

/** Which two pixels of a line a scaled pixel lies between, and the weight of the second. Buffers are used again. */
class Taps {
  first = new Int32Array(0);
  second = new Int32Array(0);
  weight = new Int32Array(0);

  /**
   * Half-pixel centres, clamped at the edges, no low pass: the kernel of nvinfer's bilinear scaling.
   *
   * @param nearest takes the pixel that a scaled one lies in
   */
  set(from: number, length: number, count: number, nearest: boolean): void {
    if (this.first.length < count) {
      this.first = new Int32Array(count);
      this.second = new Int32Array(count);
      this.weight = new Int32Array(count);
    }
    for (let i = 0; i < count; i += 1) {
      const at = Math.min(Math.max(((i + 0.5) * length) / count - 0.5, 0), length - 1);
      const first = Math.floor(nearest ? at + 0.5 : at);
      this.first[i] = from + first;
      this.second[i] = from + Math.min(first + 1, length - 1);
      this.weight[i] = nearest ? 0 : Math.round((at - first) * ONE);
    }
  }
}

/** Cuts a rectangle out of planes of bytes and scales it, plane by plane. One for each session. */
export class Cropper {
  readonly #x = new Taps();
  readonly #y = new Taps();
  readonly #nearest: boolean;
  #width = 0;
  #height = 0;

  /** @param filter nvinfer's `scaling-filter`: 0 takes the nearest pixel, everything else is bilinear here */
  constructor(filter?: number) {
    this.#nearest = filter === 0;
  }

  /** @param rect inside of the picture, at least one pixel */
  aim(rect: PixelRect, width: number, height: number): void {
    this.#x.set(rect.left, rect.width, width, this.#nearest);
    this.#y.set(rect.top, rect.height, height, this.#nearest);
    this.#width = width;
    this.#height = height;
  }

  /** @param from where the plane starts in `pixels`; `into` takes the scaled plane, row by row */
  crop(pixels: Uint8Array, from: number, stride: number, into: Uint8Array): void {
    const { first, second, weight } = this.#x;
    const width = this.#width;
    for (let y = 0; y < this.#height; y += 1) {
      const upper = from + (this.#y.first[y] as number) * stride;
      const lower = from + (this.#y.second[y] as number) * stride;
      scaleRow(pixels, upper, lower, this.#y.weight[y] as number, first, second, weight, width, into, y * width);
    }
  }
}

function scaleRow(
  pixels: Uint8Array,
  upper: number,
  lower: number,
  down: number,
  first: Int32Array,
  second: Int32Array,
  weight: Int32Array,
  width: number,
  into: Uint8Array,
  to: number,
): void {
  const up = ONE - down;
  for (let x = 0; x < width; x += 1) {
    const a = first[x] as number;
    const b = second[x] as number;
    const right = weight[x] as number;
    const left = ONE - right;
    const above = (pixels[upper + a] as number) * left + (pixels[upper + b] as number) * right;
    const below = (pixels[lower + a] as number) * left + (pixels[lower + b] as number) * right;
    into[to + x] = (above * up + below * down + (1 << 21)) >> 22;
  }
}
