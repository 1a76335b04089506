import { PairList, assign } from '@vantage/vision';
import { LEAST_OVERLAP, sum } from './clear.ts';
import type { Sequence } from './sequence.ts';

export interface IdentityScores {
  readonly IDF1: number;
  readonly IDP: number;
  readonly IDR: number;
}

/**
 * How much of the time each object has one and the same id: objects and tracks are paired once for the whole sequence.
 *
 * Source: Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking" (2016).
 */
export function identityScores({ frames, objectLengths, trackLengths }: Sequence): IdentityScores {
  const together = new Map<number, number>();
  for (const { objects, tracks, overlaps } of frames) {
    for (const { object, track, iou } of overlaps) {
      if (iou < LEAST_OVERLAP) continue;
      const pair = (objects[object] ?? 0) * trackLengths.length + (tracks[track] ?? 0);
      together.set(pair, (together.get(pair) ?? 0) + 1);
    }
  }
  const pairs = new PairList();
  for (const [pair, count] of together) {
    pairs.push(Math.floor(pair / trackLengths.length), pair % trackLengths.length, count);
  }
  let matched = 0;
  assign(pairs, objectLengths.length, trackLengths.length).forEach((track, object) => {
    if (track >= 0) matched += together.get(object * trackLengths.length + track) ?? 0;
  });
  const gtBoxes = sum(objectLengths);
  const trackerBoxes = sum(trackLengths);
  return {
    IDF1: (2 * matched) / (gtBoxes + trackerBoxes),
    IDP: matched / trackerBoxes,
    IDR: matched / gtBoxes,
  };
}
