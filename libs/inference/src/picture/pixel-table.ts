import { toHalf } from './half.ts';

/** Element types of an input that takes a picture. */
export const PICTURE_TYPES = ['float32', 'float16', 'uint8', 'int8'] as const;
export type PictureType = (typeof PICTURE_TYPES)[number];

/** Half precision is kept as 16-bit patterns: the JavaScript engine has no array for it. */
export type PictureArray = Float32Array | Uint16Array | Uint8Array | Int8Array;

export function isPictureType(type: string): type is PictureType {
  return (PICTURE_TYPES as readonly string[]).includes(type);
}

export function pictureArray(type: PictureType, length: number): PictureArray {
  switch (type) {
    case 'float32':
      return new Float32Array(length);
    case 'float16':
      return new Uint16Array(length);
    case 'uint8':
      return new Uint8Array(length);
    case 'int8':
      return new Int8Array(length);
  }
}

/** A normalised value as an element of the input; integers are rounded and stay in their range. */
export function toElement(type: PictureType, value: number): number {
  switch (type) {
    case 'float32':
      return value;
    case 'float16':
      return toHalf(value);
    case 'uint8':
      return Math.min(255, Math.max(0, Math.round(value)));
    case 'int8':
      return Math.min(127, Math.max(-128, Math.round(value)));
  }
}

/**
 * nvinfer's y = scale * (x - offset), in single precision as nvinfer and ONNX compute it, so that a graph that
 * normalises by itself gives the same bits.
 */
export function normalise(value: number, scale: number, offset: number): number {
  return Math.fround(Math.fround(scale) * Math.fround(Math.fround(value) - Math.fround(offset)));
}

/** What each of the 256 values of a byte becomes: one look-up a pixel, whatever the normalisation and the type. */
export function pixelTable(type: PictureType, scale: number, offset: number): PictureArray {
  const table = pictureArray(type, 256);
  for (let x = 0; x < 256; x += 1) table[x] = toElement(type, normalise(x, scale, offset));
  return table;
}

/** Whether a converting copy does the same as the table. */
export function isPlain(type: PictureType, scale: number, offset: number): boolean {
  return scale === 1 && offset === 0 && (type === 'float32' || type === 'uint8');
}
