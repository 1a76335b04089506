import { messageOf } from '@vantage/contracts';
import type { NodeFailure } from '../errors.ts';
import { encodePicture, type EncodeOptions } from '../images/encoding.ts';
import { packedBytes } from '../images/limits.ts';
import { downscale, fittedSize } from '../images/pixels.ts';
import type { ClientFrame, ImageEncoding, NodePicture } from '../types.ts';
import type { PictureFacts } from '../wire/encode.ts';
import type { Payload } from '../wire/message.ts';

/** A frame's picture as the node wants it. */
export interface PreparedPicture {
  /** What the payload shows; what is told about the frame where there is none. */
  readonly facts: PictureFacts;
  readonly payload: Payload;
  readonly downscaled: boolean;
  /** What the frame's `pixelsInto` has thrown, once the payload was written. */
  readonly problem?: () => NodeFailure | undefined;
}

export interface PrepareOptions extends EncodeOptions {
  readonly downscale?: { readonly width: number; readonly height: number };
}

const NOTHING = new Uint8Array(0);

/** Makes of a frame what the node has asked for. What travels is BGR in every encoding, whatever the frame is. */
export async function preparePicture(
  frame: ClientFrame,
  image: ImageEncoding | 'none',
  options: PrepareOptions,
): Promise<PreparedPicture | NodeFailure> {
  const { width, height } = frame;
  try {
    const bytes = packedBytes(width, height);
    const size = options.downscale === undefined ? frame : fittedSize(frame, options.downscale);
    const downscaled = size.width !== width || size.height !== height;
    const facts = { width: size.width, height: size.height, colorFormat: 'BGR' } as const;
    // Boxes are fractions, so the size that is told may be that of the frame itself.
    if (image === 'none') return { facts: { width, height, colorFormat: 'BGR' }, payload: NOTHING, downscaled: false };
    const { pixels, pixelsInto } = frame;
    if (pixels !== undefined && pixels.length !== bytes)
      return invalid(frame, `has ${pixels.length} bytes of pixels instead of ${bytes}`);
    if (pixels === undefined && pixelsInto === undefined) return invalid(frame, 'has no pixels');
    if (image === 'numpy' && !downscaled && frame.colorFormat === 'BGR') {
      if (pixels !== undefined) return { facts, payload: pixels, downscaled };
      if (pixelsInto !== undefined) return { facts, ...written(frame, bytes, pixelsInto), downscaled };
    }
    const whole = { width, height, colorFormat: frame.colorFormat, pixels: pixels ?? collected(bytes, pixelsInto) };
    const picture: Omit<NodePicture, 'pixels'> & { readonly pixels: Uint8Array } = downscaled
      ? await downscale(whole, size)
      : whole;
    return { facts, payload: await encodePicture(picture, image, options), downscaled };
  } catch (error) {
    return invalid(frame, messageOf(error));
  }
}

/** It is called deep inside of gRPC, or while a place in shared memory is held: an exception has to wait. */
function written(
  frame: ClientFrame,
  length: number,
  pixelsInto: NonNullable<ClientFrame['pixelsInto']>,
): Pick<PreparedPicture, 'payload' | 'problem'> {
  let failure: NodeFailure | undefined;
  const writeInto = (target: Uint8Array): void => {
    try {
      pixelsInto(target);
    } catch (error) {
      failure = invalid(frame, messageOf(error));
    }
  };
  return { payload: { length, writeInto }, problem: () => failure };
}

function collected(bytes: number, pixelsInto: ClientFrame['pixelsInto']): Buffer {
  const target = Buffer.allocUnsafe(bytes);
  pixelsInto?.(target);
  return target;
}

function invalid(frame: ClientFrame, reason: string): NodeFailure {
  return { code: 'CUSTOM_NODE_FRAME_INVALID', message: `frame ${frame.frameId}: ${reason}` };
}
