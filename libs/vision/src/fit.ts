import type { CandidateList } from './candidates.ts';
import type { Box, Detection, Mask, Point } from './detection.ts';
import { UNTRACKED } from './detection.ts';

export interface FitRequest {
  /** The picture as it is decoded, cropped and dewarped, in pixels. */
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  readonly networkWidth: number;
  readonly networkHeight: number;
  /** nvinfer `maintain-aspect-ratio`; without it the picture is stretched over the whole input. */
  readonly keepAspect: boolean;
  /** nvinfer `symmetric-padding`: the picture in the middle instead of top left. */
  readonly symmetric: boolean;
}

/** Where the picture lies inside the network input. All in network pixels; scales are network / source pixels. */
export interface Fit {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
  /** Size of the scaled picture: what the decoder has to deliver. */
  readonly width: number;
  readonly height: number;
  readonly sourceWidth: number;
  readonly sourceHeight: number;
}

/**
 * Letterboxing as nvinfer does it: one scale for both axes, sizes rounded, the rest below and right (or
 * `floor(rest / 2)` before and the remainder after). Sizes are at least one pixel.
 */
export function fitPicture(request: FitRequest): Fit {
  const { sourceWidth, sourceHeight, networkWidth, networkHeight } = request;
  let width = networkWidth;
  let height = networkHeight;
  if (request.keepAspect) {
    const scale = Math.min(networkWidth / sourceWidth, networkHeight / sourceHeight);
    width = Math.max(1, Math.round(sourceWidth * scale));
    height = Math.max(1, Math.round(sourceHeight * scale));
  }
  const centred = request.keepAspect && request.symmetric;
  return {
    // The scaler stretches the whole picture over the rounded size, so that is the scale of its pixels.
    scaleX: width / sourceWidth,
    scaleY: height / sourceHeight,
    offsetX: centred ? Math.floor((networkWidth - width) / 2) : 0,
    offsetY: centred ? Math.floor((networkHeight - height) / 2) : 0,
    width,
    height,
    sourceWidth,
    sourceHeight,
  };
}

/** A candidate as a box of the source picture, clipped to it; undefined when nothing of it is inside. */
export function candidateBox(candidates: CandidateList, index: number, fit: Fit): Box | undefined {
  const left = clamp(((candidates.x1[index] as number) - fit.offsetX) / fit.scaleX, fit.sourceWidth);
  const top = clamp(((candidates.y1[index] as number) - fit.offsetY) / fit.scaleY, fit.sourceHeight);
  const right = clamp(((candidates.x2[index] as number) - fit.offsetX) / fit.scaleX, fit.sourceWidth);
  const bottom = clamp(((candidates.y2[index] as number) - fit.offsetY) / fit.scaleY, fit.sourceHeight);
  if (!(right > left && bottom > top)) return undefined;
  return { left, top, width: right - left, height: bottom - top };
}

/** The points of a candidate in pixels of the source picture; they may lie outside it. */
export function candidatePoints(candidates: CandidateList, index: number, fit: Fit): Point[] {
  const found: Point[] = [];
  for (let point = 0; point < candidates.pointCount; point += 1) {
    const at = (index * candidates.pointCount + point) * 2;
    found.push({
      x: ((candidates.points[at] as number) - fit.offsetX) / fit.scaleX,
      y: ((candidates.points[at + 1] as number) - fit.offsetY) / fit.scaleY,
    });
  }
  return found;
}

export interface DetectionNaming {
  /** By class id; a class without a label is called `class-<id>`. */
  readonly labels: readonly string[];
  /** `gie-unique-id`. */
  readonly componentId: number;
}

/**
 * Candidates that were kept, best first, as detections of the source picture. Those outside of it are left out.
 *
 * @param maskOf mask of a candidate, for instance segmentation
 */
export function toDetections(
  candidates: CandidateList,
  kept: Int32Array,
  fit: Fit,
  { labels, componentId }: DetectionNaming,
  maskOf?: (index: number) => Mask | undefined,
): Detection[] {
  const detections: Detection[] = [];
  for (const index of kept) {
    const box = candidateBox(candidates, index, fit);
    if (box === undefined) continue;
    const classId = candidates.classId[index] as number;
    const detection: Detection = {
      classId,
      label: labels[classId] ?? `class-${classId}`,
      confidence: candidates.score[index] as number,
      box,
      trackingId: UNTRACKED,
      componentId,
      attributes: [],
    };
    const mask = maskOf?.(index);
    detections.push({
      ...detection,
      ...pointsOf(candidates, index, fit),
      ...(mask === undefined ? {} : { mask }),
    });
  }
  return detections;
}

function pointsOf(candidates: CandidateList, index: number, fit: Fit): Pick<Detection, 'points' | 'keypoints'> {
  if (candidates.pointCount === 0) return {};
  const points = candidatePoints(candidates, index, fit);
  if (!candidates.scoredPoints) return { points };
  const scores = candidates.pointScores;
  return {
    keypoints: points.map((point, i) => ({ ...point, score: scores[index * candidates.pointCount + i] as number })),
  };
}

function clamp(value: number, end: number): number {
  if (value < 0) return 0;
  return value > end ? end : value;
}
