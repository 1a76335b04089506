import { imageInvalid } from '../errors.ts';
import type { ColorFormat, NodePicture } from '../types.ts';
import { CHANNELS, packedBytes } from './limits.ts';
import { swapRedBlue } from './pixels.ts';

const FILE_HEADER = 14;
const INFO_HEADER = 40;
const PIXELS_AT = FILE_HEADER + INFO_HEADER;
const UNCOMPRESSED = 0;

/**
 * A .bmp file as OpenCV writes it (grfmt_bmp.cpp): 14 + 40 bytes of header, 24 bits a pixel, bottom row first, B, G, R,
 * rows padded to four bytes, image size and resolution left 0.
 *
 * @throws VantageError CUSTOM_NODE_IMAGE_INVALID
 */
export function encodeBmp(pixels: Uint8Array, width: number, height: number, colorFormat: ColorFormat): Buffer {
  const bytes = packedBytes(width, height);
  if (pixels.length !== bytes) throw imageInvalid(`${pixels.length} bytes are not ${width}x${height}x3`);
  const row = width * CHANNELS;
  const stride = strideOf(width, CHANNELS);
  const file = Buffer.alloc(PIXELS_AT + stride * height);
  file.write('BM', 0, 'latin1');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(PIXELS_AT, 10);
  file.writeUInt32LE(INFO_HEADER, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(CHANNELS * 8, 28);
  file.writeUInt32LE(UNCOMPRESSED, 30);
  for (let y = 0; y < height; y++) {
    const source = pixels.subarray(y * row, (y + 1) * row);
    const at = PIXELS_AT + (height - 1 - y) * stride;
    if (colorFormat === 'BGR') file.set(source, at);
    else swapRedBlue(source, file.subarray(at, at + row));
  }
  return file;
}

/**
 * Reads uncompressed .bmp files of 24 or 32 bits a pixel, in either order of rows, as BGR.
 *
 * @throws VantageError CUSTOM_NODE_IMAGE_INVALID
 */
export function decodeBmp(file: Buffer): NodePicture {
  if (file.length < PIXELS_AT || file.toString('latin1', 0, 2) !== 'BM') throw imageInvalid('this is no BMP file');
  const offset = file.readUInt32LE(10);
  const width = file.readInt32LE(18);
  const writtenHeight = file.readInt32LE(22);
  const height = Math.abs(writtenHeight);
  const bits = file.readUInt16LE(28);
  const compression = file.readUInt32LE(30);
  if ((bits !== 24 && bits !== 32) || compression !== UNCOMPRESSED || file.readUInt32LE(14) < INFO_HEADER)
    throw imageInvalid(`a BMP file of ${bits} bits a pixel, compression ${compression}, is not read; write 24 bits`);
  const pixels = Buffer.allocUnsafe(checkedBytes(file, { offset, width, height, channels: bits / 8 }));
  const stride = strideOf(width, bits / 8);
  const row = width * CHANNELS;
  for (let y = 0; y < height; y++) {
    const line = writtenHeight < 0 ? y : height - 1 - y;
    const at = offset + line * stride;
    const target = pixels.subarray(y * row, (y + 1) * row);
    if (bits === 24) file.copy(target, 0, at, at + row);
    else dropFourth(file.subarray(at, at + width * 4), target);
  }
  return { width, height, colorFormat: 'BGR', pixels };
}

function checkedBytes(
  file: Buffer,
  { offset, width, height, channels }: { offset: number; width: number; height: number; channels: number },
): number {
  const bytes = packedBytes(width, height);
  const end = offset + strideOf(width, channels) * (height - 1) + width * channels;
  if (offset < PIXELS_AT || end > file.length)
    throw imageInvalid(`a BMP file of ${file.length} bytes ends before its ${width}x${height} pixels do`);
  return bytes;
}

function strideOf(width: number, channels: number): number {
  return (width * channels + 3) & ~3;
}

function dropFourth(source: Uint8Array, target: Uint8Array): void {
  for (let from = 0, to = 0; to < target.length; from += 4, to += CHANNELS) {
    target[to] = source[from] ?? 0;
    target[to + 1] = source[from + 1] ?? 0;
    target[to + 2] = source[from + 2] ?? 0;
  }
}
