import type { Candidate } from './candidate.ts';
import { assign } from './assignment.ts';
import { PairList } from './pairs.ts';
import type { Track } from './track.ts';

/** One round of matching. */
export interface Round {
  /** How well the two go together; a pair of a score not above `least` does not exist. */
  readonly score: (track: Track, candidate: Candidate, overlap: number) => number;
  /** Least score, 0 or more. */
  readonly least: number;
  /** How far from its expected box a track is looked for, as part of the box's mean side. Default 0: they overlap. */
  readonly reach?: number;
}

/** Tracks and detections of one frame on their way to each other. */
export class Matching {
  readonly #pairs = new PairList();
  readonly #matchClasses: boolean;

  constructor(matchClasses: boolean) {
    this.#matchClasses = matchClasses;
  }

  /**
   * Matches for the greatest sum of scores.
   *
   * @param candidates from left to right
   * @param onPair called for each pair
   */
  run(
    tracks: readonly Track[],
    candidates: readonly Candidate[],
    round: Round,
    onPair: (track: Track, candidate: Candidate) => void,
  ): void {
    if (tracks.length === 0 || candidates.length === 0) return;
    this.#collect(tracks, candidates, round);
    const columnOf = assign(this.#pairs, tracks.length, candidates.length);
    for (let row = 0; row < tracks.length; row += 1) {
      const candidate = candidates[columnOf[row] as number];
      if (candidate !== undefined) onPair(tracks[row] as Track, candidate);
    }
  }

  /** Pairs that may go together: only boxes that meet are compared, found by their left edges. */
  #collect(tracks: readonly Track[], candidates: readonly Candidate[], { score, least, reach = 0 }: Round): void {
    const pairs = this.#pairs;
    pairs.clear();
    let widest = 0;
    for (const { detection } of candidates) widest = Math.max(widest, detection.box.width);
    for (let row = 0; row < tracks.length; row += 1) {
      const track = tracks[row] as Track;
      const { left, top, width, height } = track.expected;
      const margin = reach > 0 ? reach * Math.sqrt(width * height) : 0;
      const right = left + width;
      const bottom = top + height;
      for (let column = firstFrom(candidates, left - margin - widest); column < candidates.length; column += 1) {
        const candidate = candidates[column] as Candidate;
        const { box } = candidate.detection;
        if (box.left >= right + margin) break;
        if (candidate.right <= left - margin || box.top >= bottom + margin || candidate.bottom <= top - margin)
          continue;
        if (this.#matchClasses && candidate.detection.classId !== track.last.classId) continue;
        const sharedWidth = Math.min(right, candidate.right) - Math.max(left, box.left);
        const sharedHeight = Math.min(bottom, candidate.bottom) - Math.max(top, box.top);
        const shared = sharedWidth > 0 && sharedHeight > 0 ? sharedWidth * sharedHeight : 0;
        const value = score(track, candidate, shared / (width * height + candidate.area - shared));
        if (value >= least && value > 0) pairs.push(row, column, value);
      }
    }
  }
}

/** The first candidate whose left edge is at `left` or right of it. */
function firstFrom(candidates: readonly Candidate[], left: number): number {
  let low = 0;
  let high = candidates.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((candidates[middle] as Candidate).detection.box.left < left) low = middle + 1;
    else high = middle;
  }
  return low;
}
