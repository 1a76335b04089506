import sharp, { type Sharp } from 'sharp';
import type { ColorFormat, NodePicture } from '../types.ts';
import { imageInvalid } from '../errors.ts';
import { CHANNELS, MAX_PIXELS, packedBytes } from './limits.ts';

/** BGR to RGB, or back. `target` may be `source`. */
export function swapRedBlue(source: Uint8Array, target: Uint8Array): void {
  for (let at = 0; at < source.length; at += CHANNELS) {
    const first = source[at] ?? 0;
    target[at + 1] = source[at + 1] ?? 0;
    target[at] = source[at + 2] ?? 0;
    target[at + 2] = first;
  }
}

/** The same bytes where they are in that order already, else a copy that is. */
export function inOrder(pixels: Uint8Array, from: ColorFormat, to: ColorFormat): Uint8Array {
  if (from === to) return pixels;
  const swapped = Buffer.allocUnsafe(pixels.length);
  swapRedBlue(pixels, swapped);
  return swapped;
}

/**
 * A frame or picture for sharp, which works on RGB; the pixels are copied where they are BGR.
 *
 * @example
 * const small = await toSharp(frame).resize(320).jpeg().toBuffer();
 * @throws VantageError CUSTOM_NODE_IMAGE_INVALID where there are no pixels
 */
export function toSharp(picture: Omit<NodePicture, 'pixels'> & { readonly pixels?: Uint8Array }): Sharp {
  const { width, height, colorFormat, pixels } = picture;
  if (pixels === undefined || pixels.length !== packedBytes(width, height))
    throw imageInvalid(`there are no pixels of ${width}x${height}`);
  const { buffer, byteOffset, byteLength } = inOrder(pixels, colorFormat, 'RGB');
  return sharp(Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength), {
    raw: { width, height, channels: CHANNELS },
    limitInputPixels: MAX_PIXELS,
  });
}

/** What comes out of sharp, as a picture for an answer. Grey ones get three channels. */
export async function fromSharp(image: Sharp, colorFormat: ColorFormat = 'BGR'): Promise<NodePicture> {
  const { data, info } = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels === 1) return { width, height, colorFormat, pixels: repeated(data) };
  if (channels !== CHANNELS) throw imageInvalid(`a picture of ${channels} channels cannot be sent`);
  if (colorFormat === 'BGR') swapRedBlue(data, data);
  return { width, height, colorFormat, pixels: data };
}

/** Each byte three times. */
function repeated(grey: Uint8Array): Buffer {
  const pixels = Buffer.allocUnsafe(grey.length * CHANNELS);
  for (let from = 0, to = 0; from < grey.length; from++, to += CHANNELS) {
    const value = grey[from] ?? 0;
    pixels[to] = value;
    pixels[to + 1] = value;
    pixels[to + 2] = value;
  }
  return pixels;
}

/** The size within `limit`, sides kept in proportion; the same size where it fits. */
export function fittedSize(
  size: { readonly width: number; readonly height: number },
  limit: { readonly width: number; readonly height: number },
): { width: number; height: number } {
  const scale = Math.min(1, limit.width / size.width, limit.height / size.height);
  return {
    width: Math.max(1, Math.round(size.width * scale)),
    height: Math.max(1, Math.round(size.height * scale)),
  };
}

/** Makes a picture smaller, in sharp's threads. The order of colours stays. */
export async function downscale(
  picture: Omit<NodePicture, 'pixels'> & { readonly pixels: Uint8Array },
  size: { readonly width: number; readonly height: number },
): Promise<NodePicture> {
  // Scaling treats the three channels alike, so they need not be swapped for sharp.
  const image = toSharp({ ...picture, colorFormat: 'RGB' });
  const pixels = await image.resize(size.width, size.height, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
  return { ...size, colorFormat: picture.colorFormat, pixels };
}
