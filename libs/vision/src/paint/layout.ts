/** How the bytes of an 8-bit picture lie; names as ffmpeg's. `gbrp` has whole planes in the order G, B, R. */
export type PixelFormat = 'rgb24' | 'bgr24' | 'gbrp' | 'yuv420p';

export type Rgb = readonly [red: number, green: number, blue: number];

/** Bytes of a picture without padding. */
export function pictureBytes(format: PixelFormat, width: number, height: number): number {
  if (format !== 'yuv420p') return 3 * width * height;
  return width * height + 2 * ((width + 1) >> 1) * ((height + 1) >> 1);
}

/** One plane, or one colour of pixels that lie packed. */
export interface Channel {
  /** Place of its first sample. */
  readonly offset: number;
  /** From one sample to the next in a row. */
  readonly step: number;
  /** From one row to the next. */
  readonly stride: number;
  /** Pixels that share a sample, as a power of two, both ways. */
  readonly shift: 0 | 1;
}

/** The three channels, in the order of {@link inkOf}: R, G, B or Y, U, V. */
export function channelsOf(format: PixelFormat, width: number, height: number): readonly Channel[] {
  const area = width * height;
  switch (format) {
    case 'rgb24':
      return [0, 1, 2].map((offset) => ({ offset, step: 3, stride: 3 * width, shift: 0 }));
    case 'bgr24':
      return [2, 1, 0].map((offset) => ({ offset, step: 3, stride: 3 * width, shift: 0 }));
    case 'gbrp':
      return [2 * area, 0, area].map((offset) => ({ offset, step: 1, stride: width, shift: 0 }));
    case 'yuv420p': {
      const half = (width + 1) >> 1;
      const quarter = half * ((height + 1) >> 1);
      return [
        { offset: 0, step: 1, stride: width, shift: 0 },
        { offset: area, step: 1, stride: half, shift: 1 },
        { offset: area + quarter, step: 1, stride: half, shift: 1 },
      ];
    }
  }
}

/** A colour as samples of the three channels. YUV is BT.601 with limited range, ffmpeg's default for RGB sources. */
export function inkOf(format: PixelFormat, [red, green, blue]: Rgb): Rgb {
  if (format !== 'yuv420p') return [red, green, blue];
  const luma = 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255;
  const u = 128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255;
  const v = 128 + (112 * red - 93.786 * green - 18.214 * blue) / 255;
  return [Math.round(luma), Math.round(u), Math.round(v)];
}

/** `#rrggbb` (or `#rgb`), else undefined. */
export function parseColour(text: string): Rgb | undefined {
  const match = /^#(?:([0-9a-f]{3})|([0-9a-f]{6}))$/i.exec(text.trim());
  const digits = match?.[2] ?? match?.[1]?.replace(/./g, '$&$&');
  if (digits === undefined) return undefined;
  const value = parseInt(digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}
