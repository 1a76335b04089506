import type { PictureArray } from './pixel-table.ts';

/** Where a plane of a network's input lies, in elements. */
export interface PlaneTarget {
  readonly out: PictureArray;
  /** Element of the top left pixel. */
  readonly base: number;
  /** From a pixel to that below it. */
  readonly rowStep: number;
  /** From a pixel to its right neighbour: 1 for planes, the number of channels for interleaved ones. */
  readonly step: number;
}

/** Copies one plane of bytes through a table. Without a table the bytes are taken as they are, in native loops. */
export function writePlane(
  pixels: Uint8Array,
  from: number,
  width: number,
  height: number,
  table: PictureArray | undefined,
  { out, base, rowStep, step }: PlaneTarget,
): void {
  if (step === 1 && rowStep === width) return copyRow(pixels, from, width * height, table, out, base, 1);
  for (let y = 0; y < height; y += 1) copyRow(pixels, from + y * width, width, table, out, base + y * rowStep, step);
}

/** The inner loops, free of everything that hinders the optimiser. */
function copyRow(
  pixels: Uint8Array,
  from: number,
  count: number,
  table: PictureArray | undefined,
  out: PictureArray,
  to: number,
  step: number,
): void {
  if (table === undefined) {
    if (step === 1) out.set(pixels.subarray(from, from + count), to);
    else for (let i = 0; i < count; i += 1, to += step) out[to] = pixels[from + i] as number;
  } else if (step === 1) {
    for (let i = 0; i < count; i += 1) out[to + i] = table[pixels[from + i] as number] as number;
  } else for (let i = 0; i < count; i += 1, to += step) out[to] = table[pixels[from + i] as number] as number;
}

/** A mean for each pixel: `out = scale * (x - mean)`. Half precision and integers go through `toElement`. */
export function writePlaneWithMean(
  pixels: Uint8Array,
  width: number,
  height: number,
  mean: { readonly values: Uint8Array; readonly base: number; readonly rowStep: number },
  element: (value: number, mean: number) => number,
  { out, base, rowStep, step }: PlaneTarget,
): void {
  for (let y = 0, from = 0; y < height; y += 1) {
    let at = mean.base + y * mean.rowStep;
    let to = base + y * rowStep;
    for (let x = 0; x < width; x += 1, from += 1, at += 3, to += step) {
      out[to] = element(pixels[from] as number, mean.values[at] as number);
    }
  }
}
