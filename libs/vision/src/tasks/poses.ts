import type { Keypoint } from '../detection.ts';
import type { Fit } from '../fit.ts';
import type { Pose } from '../results.ts';

/** A point of the network input, in its pixels, as a point of the source picture. */
export function sourceKeypoint(x: number, y: number, score: number, fit: Fit): Keypoint {
  return { x: (x - fit.offsetX) / fit.scaleX, y: (y - fit.offsetY) / fit.scaleY, score };
}

/** A point that was not found. */
export const MISSING: Keypoint = { x: 0, y: 0, score: 0 };

/** The pose that points make; undefined when none was found. */
export function poseOf(
  keypoints: readonly Keypoint[],
  names: readonly string[],
  componentId: number,
): Pose | undefined {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  let sum = 0;
  let found = 0;
  for (const { x, y, score } of keypoints) {
    if (!(score > 0)) continue;
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
    sum += score;
    found += 1;
  }
  if (found === 0) return undefined;
  const box = { left, top, width: right - left, height: bottom - top };
  return { score: sum / found, box, keypoints, names, componentId };
}
