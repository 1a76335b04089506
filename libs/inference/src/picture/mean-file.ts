import { meanFileUnusable } from '../errors.ts';

/** A mean for each pixel and channel, interleaved in the order of the network's channels. */
export interface MeanPicture {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8Array;
}

/**
 * nvinfer's `mean-file`: a binary PPM (P6, 8 bit) of exactly the network's size.
 *
 * @throws VantageError `MEAN_FILE_UNUSABLE`
 */
export function readMeanFile(bytes: Uint8Array, file: string, width: number, height: number): MeanPicture {
  const fields: string[] = [];
  let at = 0;
  while (fields.length < 4 && at < bytes.length && at < 1024) {
    const character = String.fromCharCode(bytes[at] as number);
    if (character === '#') while (at < bytes.length && bytes[at] !== 10) at += 1;
    else if (/\s/.test(character)) at += 1;
    else {
      let field = '';
      for (; at < bytes.length && !/\s/.test(String.fromCharCode(bytes[at] as number)); at += 1) {
        field += String.fromCharCode(bytes[at] as number);
        if (field.length > 16) break;
      }
      fields.push(field);
      if (field.length > 16) break;
    }
  }
  const [magic, wide, high, most] = fields;
  if (magic !== 'P6' || most !== '255') throw meanFileUnusable(file, 'it is no binary PPM with 8 bit (P6, 255)');
  if (Number(wide) !== width || Number(high) !== height) {
    throw meanFileUnusable(file, `it has ${wide}x${high} pixels, the network takes ${width}x${height}`);
  }
  const values = bytes.subarray(at + 1, at + 1 + 3 * width * height);
  if (values.length < 3 * width * height) throw meanFileUnusable(file, 'it ends too early');
  return { width, height, values };
}
