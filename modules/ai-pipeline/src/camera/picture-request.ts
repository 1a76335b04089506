import { isDeepStrictEqual } from 'node:util';
import type { PictureRequest, SourceStream } from '@vantage/media';
import type { CameraModel, CameraSetup } from './protocol.ts';
import type { View } from './view.ts';

export interface PictureWishes {
  readonly crop: CameraSetup['crop'];
  readonly maxFps: number | undefined;
  /** Secondary models, or nodes of a graph, look at the full picture. */
  readonly full: boolean;
  /** Frames that the model does not look at need not come at all. */
  readonly leaveOut?: boolean;
}

/** What ffmpeg has to deliver for a model and a graph; where nobody looks, no picture is ever decoded. */
export function pictureFor(model: CameraModel | undefined, wishes: PictureWishes): PictureRequest | undefined {
  const { crop, maxFps, full, leaveOut = false } = wishes;
  if (!model && !full) return undefined;
  const common = {
    ...(maxFps === undefined ? {} : { maxFps }),
    ...(crop ? { crop } : {}),
    ...(full ? { full } : {}),
  };
  if (!model) return common;
  const { network, keepAspect, scaleFlags, interval } = model;
  return {
    networkWidth: network.width,
    networkHeight: network.height,
    keepAspect,
    ...(scaleFlags === undefined ? {} : { scaleFlags }),
    ...(leaveOut && interval > 0 ? { everyNth: interval + 1 } : {}),
    ...common,
  };
}

export function samePicture(a: PictureRequest | undefined, b: PictureRequest): boolean {
  return isDeepStrictEqual(a, b);
}

/** The part of the frame that is looked at: all of it, or the crop as far as it lies inside (as ffmpeg clamps it). */
export function viewOf(
  { sourceWidth, sourceHeight }: Pick<SourceStream, 'sourceWidth' | 'sourceHeight'>,
  crop: CameraSetup['crop'],
): View {
  if (!crop) return { left: 0, top: 0, width: sourceWidth, height: sourceHeight };
  const left = Math.min(Math.max(0, crop.left), sourceWidth - 1);
  const top = Math.min(Math.max(0, crop.top), sourceHeight - 1);
  return {
    left,
    top,
    width: Math.min(crop.width, sourceWidth - left),
    height: Math.min(crop.height, sourceHeight - top),
  };
}
