import sharp from 'sharp';
import { messageOf } from '@vantage/contracts';
import { imageInvalid } from '../errors.ts';
import type { ColorFormat, ImageEncoding, NodePicture } from '../types.ts';
import { decodeBmp, encodeBmp } from './bmp.ts';
import { MAX_PIXELS, packedBytes } from './limits.ts';
import { fromSharp, inOrder, toSharp } from './pixels.ts';

/** OpenCV's default (contract A). */
export const JPEG_QUALITY = 95;

export interface EncodeOptions {
  /** 1 to 100. Default 95. */
  readonly jpegQuality?: number;
}

/**
 * A picture as it travels: `numpy` is its bytes in BGR (no copy where they are), the others are complete files.
 *
 * @throws VantageError CUSTOM_NODE_IMAGE_INVALID
 */
export async function encodePicture(
  picture: Omit<NodePicture, 'pixels'> & { readonly pixels: Uint8Array },
  encoding: ImageEncoding,
  options: EncodeOptions = {},
): Promise<Uint8Array> {
  const { width, height, colorFormat, pixels } = picture;
  const bytes = packedBytes(width, height);
  if (pixels.length !== bytes)
    throw imageInvalid(`${pixels.length} bytes are not a picture of ${width}x${height}; that has ${bytes}`);
  switch (encoding) {
    case 'numpy':
      return inOrder(pixels, colorFormat, 'BGR');
    case 'bmp':
      return encodeBmp(pixels, width, height, colorFormat);
    case 'jpeg':
      return toSharp(picture)
        .jpeg({ quality: options.jpegQuality ?? JPEG_QUALITY })
        .toBuffer();
  }
}

/** What a message says about its picture; 0 where it says nothing. */
export interface AnnouncedPicture {
  readonly width: number;
  readonly height: number;
  readonly colorFormat: ColorFormat;
}

/**
 * A picture that came. Files are decoded to BGR; `numpy` is taken as it is, without a copy, in the order it announces.
 *
 * @throws VantageError CUSTOM_NODE_IMAGE_INVALID where it is broken, or not of the announced size
 */
export async function decodePicture(
  bytes: Buffer,
  encoding: ImageEncoding,
  announced: AnnouncedPicture,
): Promise<NodePicture> {
  const { width, height } = announced;
  if (encoding === 'numpy') {
    const expected = packedBytes(width, height);
    if (bytes.length !== expected)
      throw imageInvalid(`${bytes.length} bytes are not a numpy picture of ${width}x${height}; that has ${expected}`);
    return { ...announced, pixels: bytes };
  }
  const picture = encoding === 'bmp' ? decodeBmp(bytes) : await decodeJpeg(bytes);
  const silent = width === 0 && height === 0;
  if (!silent && (picture.width !== width || picture.height !== height))
    throw imageInvalid(
      `a ${encoding} picture of ${picture.width}x${picture.height} was announced as ${width}x${height}`,
    );
  return picture;
}

async function decodeJpeg(bytes: Buffer): Promise<NodePicture> {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) throw imageInvalid('this is no JPEG file');
  try {
    return await fromSharp(sharp(bytes, { failOn: 'truncated', limitInputPixels: MAX_PIXELS }), 'BGR');
  } catch (error) {
    throw imageInvalid(`a JPEG picture cannot be decoded: ${messageOf(error)}`, error);
  }
}
