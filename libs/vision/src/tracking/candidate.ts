import type { Detection } from '../detection.ts';
import type { TrackerOptions } from './tracker.ts';

/** A coordinate beyond this is not in any picture; its square is still a number. */
const MAX_COORDINATE = 1e7;

/** A detection that can be matched. */
export interface Candidate {
  /** Its place among the detections of the frame. */
  readonly index: number;
  readonly detection: Detection;
  readonly right: number;
  readonly bottom: number;
  readonly area: number;
  /** Length 1; undefined where there is none that is good. */
  readonly embedding: Float32Array | undefined;
  /** Whether a track of this frame has it. */
  taken: boolean;
}

type CandidateLimits = Pick<Required<TrackerOptions>, 'lowThreshold' | 'maxTracks' | 'onlyClasses'>;

/**
 * The detections that a tracker can look at, from left to right: finite, with an area, of a confidence of at least
 * `lowThreshold`; where they are more than `maxTracks`, those of highest confidence.
 */
export function candidatesOf(
  detections: readonly Detection[],
  embeddings: readonly (Float32Array | undefined)[] | undefined,
  { lowThreshold: least, maxTracks: limit, onlyClasses }: CandidateLimits,
): Candidate[] {
  let found: Candidate[] = [];
  for (let index = 0; index < detections.length; index += 1) {
    const detection = detections[index] as Detection;
    const { left, top, width, height } = detection.box;
    if (onlyClasses.length > 0 && !onlyClasses.includes(detection.classId)) continue;
    if (!(width > 0 && height > 0 && detection.confidence >= least)) continue;
    const right = left + width;
    const bottom = top + height;
    if (!(inside(left) && inside(top) && inside(right) && inside(bottom))) continue;
    const embedding = embeddings && direction(embeddings[index]);
    found.push({ index, detection, right, bottom, area: width * height, embedding, taken: false });
  }
  if (found.length > limit) {
    found.sort((a, b) => b.detection.confidence - a.detection.confidence || a.index - b.index);
    found = found.slice(0, limit);
  }
  return found.sort((a, b) => a.detection.box.left - b.detection.box.left || a.index - b.index);
}

function inside(coordinate: number): boolean {
  return Math.abs(coordinate) <= MAX_COORDINATE;
}

function direction(values: Float32Array | undefined): Float32Array | undefined {
  if (!values) return undefined;
  let squares = 0;
  for (const value of values) squares += value * value;
  const norm = Math.sqrt(squares);
  return norm > 0 && norm < Infinity ? values.map((value) => value / norm) : undefined;
}
