import { PairList, assign } from '@vantage/vision';
import type { Sequence, SequenceFrame } from './sequence.ts';

/** Least overlap (IoU) of a true box and a tracked one to be the same object. */
export const LEAST_OVERLAP = 0.5;

export interface ClearScores {
  /** 1 - (FN + FP + IDs) / gtBoxes; can be negative. */
  readonly MOTA: number;
  /** Mean of 1 - IoU of the matches: smaller is better, as in py-motmetrics. */
  readonly MOTP: number;
  readonly recall: number;
  readonly precision: number;
  readonly FP: number;
  readonly FN: number;
  /** Changes of id. */
  readonly IDs: number;
  /** Fragmentations: gaps in an object's time between its first and last match. */
  readonly FM: number;
  /** Objects; mostly tracked (80 % of their frames), partly, mostly lost (less than 20 %). */
  readonly GT: number;
  readonly MT: number;
  readonly PT: number;
  readonly ML: number;
}

/** What became of one object. */
interface Fate {
  frames: number;
  matched: number;
  /** The track it was last matched to. */
  track: number | undefined;
  /** Whether its last frame was a miss after a match. */
  gap: boolean;
  gaps: number;
}

/**
 * CLEAR MOT: a correspondence of before is kept while it overlaps enough; the rest is matched for as many pairs as there
 * can be, and of those the ones that overlap most.
 *
 * Source: Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics" (2008);
 * counts as in py-motmetrics.
 */
export function clearScores({ frames, objectLengths, trackLengths }: Sequence): ClearScores {
  const fates = objectLengths.map((length): Fate => ({
    frames: length,
    matched: 0,
    track: undefined,
    gap: false,
    gaps: 0,
  }));
  let switches = 0;
  let distance = 0;
  for (const frame of frames) {
    const matches = matchFrame(frame, fates);
    frame.objects.forEach((object, at) => {
      const fate = fates[object];
      if (!fate) return;
      const match = matches.get(at);
      if (!match) {
        fate.gap = fate.matched > 0;
        return;
      }
      if (fate.gap) fate.gaps += 1;
      if (fate.track !== undefined && fate.track !== match.track) switches += 1;
      fate.gap = false;
      fate.track = match.track;
      fate.matched += 1;
      distance += 1 - match.iou;
    });
  }
  const gtBoxes = sum(objectLengths);
  const trackerBoxes = sum(trackLengths);
  const matched = sum(fates.map((fate) => fate.matched));
  const FP = trackerBoxes - matched;
  const FN = gtBoxes - matched;
  const MT = fates.filter((fate) => fate.matched >= 0.8 * fate.frames).length;
  const ML = fates.filter((fate) => fate.matched < 0.2 * fate.frames).length;
  return {
    MOTA: 1 - (FN + FP + switches) / gtBoxes,
    MOTP: distance / matched,
    recall: matched / gtBoxes,
    precision: matched / trackerBoxes,
    FP,
    FN,
    IDs: switches,
    FM: sum(fates.map(({ gaps }) => gaps)),
    GT: fates.length,
    MT,
    PT: fates.length - MT - ML,
    ML,
  };
}

/** Track number and overlap by the object's place in the frame. */
function matchFrame(
  { objects, tracks, overlaps }: SequenceFrame,
  fates: readonly Fate[],
): Map<number, { track: number; iou: number }> {
  const enough = overlaps.filter(({ iou }) => iou >= LEAST_OVERLAP);
  const kept = enough.filter(({ object, track }) => fates[objects[object] ?? -1]?.track === tracks[track]);
  const taken = { objects: new Set<number>(), tracks: new Set<number>() };
  const matches = new Map<number, { track: number; iou: number }>();
  for (const { object, track, iou } of kept) {
    if (taken.tracks.has(track)) continue;
    taken.objects.add(object);
    taken.tracks.add(track);
    matches.set(object, { track: tracks[track] ?? -1, iou });
  }
  const rest = new PairList();
  const overlapOf = new Map<string, number>();
  for (const { object, track, iou } of enough) {
    if (taken.objects.has(object) || taken.tracks.has(track)) continue;
    // One more pair is worth more than any overlap.
    rest.push(object, track, objects.length + 1 + iou);
    overlapOf.set(`${object} ${track}`, iou);
  }
  assign(rest, objects.length, tracks.length).forEach((track, object) => {
    if (track >= 0) matches.set(object, { track: tracks[track] ?? -1, iou: overlapOf.get(`${object} ${track}`) ?? 0 });
  });
  return matches;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
