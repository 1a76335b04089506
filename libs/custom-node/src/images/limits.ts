import { imageInvalid } from '../errors.ts';

export const CHANNELS = 3;

/** Nothing larger is decoded: 8K is half of it. */
const MAX_PIXELS = 64 * 1024 * 1024;
const MAX_SIDE = 32_768;

/** Bytes of a packed picture of that size.
 *
 * @throws VantageError CUSTOM_NODE_IMAGE_INVALID where it has no or an absurd size
 */
export function packedBytes(width: number, height: number): number {
  const sane = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!sane || width > MAX_SIDE || height > MAX_SIDE || width * height > MAX_PIXELS)
    throw imageInvalid(`a picture of ${width}x${height} pixels is not possible`);
  return width * height * CHANNELS;
}

export { MAX_PIXELS };
