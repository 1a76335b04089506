import { PairList, assign } from '@vantage/vision';
import { sum } from './clear.ts';
import type { Sequence, SequenceFrame } from './sequence.ts';

export interface HotaScores {
  /** Mean over overlaps of 0.05 to 0.95, as the three below. */
  readonly HOTA: number;
  readonly DetA: number;
  readonly AssA: number;
  readonly LocA: number;
}

const ALPHAS = Array.from({ length: 19 }, (_, step) => 0.05 * (step + 1));

/**
 * Higher order tracking accuracy: detection and association in one figure, at each of 19 least overlaps.
 *
 * Source: Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking" (IJCV 2021); order of steps
 * as in JonathonLuiten/TrackEval, trackeval/metrics/hota.py.
 */
export function hotaScores(sequence: Sequence): HotaScores {
  const { frames, objectLengths, trackLengths } = sequence;
  const alignment = alignmentOf(sequence);
  const key = (object: number, track: number): number => object * trackLengths.length + track;
  const matches = frames.flatMap((frame) =>
    matchFrame(frame, (object, track) => alignment.get(key(object, track)) ?? 0),
  );
  const gtBoxes = sum(objectLengths);
  const trackerBoxes = sum(trackLengths);
  const at = ALPHAS.map((alpha) => {
    const good = matches.filter(({ iou }) => iou >= alpha - Number.EPSILON);
    const together = new Map<number, { object: number; track: number; count: number }>();
    for (const { object, track } of good) {
      const pair = together.get(key(object, track)) ?? { object, track, count: 0 };
      pair.count += 1;
      together.set(key(object, track), pair);
    }
    const association = sum(
      [...together.values()].map(({ object, track, count }) => {
        const either = (objectLengths[object] ?? 0) + (trackLengths[track] ?? 0) - count;
        return (count * count) / Math.max(1, either);
      }),
    );
    const DetA = good.length / Math.max(1, gtBoxes + trackerBoxes - good.length);
    const AssA = association / Math.max(1, good.length);
    const LocA = good.length === 0 ? 1 : sum(good.map(({ iou }) => iou)) / good.length;
    return { HOTA: Math.sqrt(DetA * AssA), DetA, AssA, LocA };
  });
  const mean = (name: keyof HotaScores): number => sum(at.map((scores) => scores[name])) / at.length;
  return { HOTA: mean('HOTA'), DetA: mean('DetA'), AssA: mean('AssA'), LocA: mean('LocA') };
}

/** How much of their time an object and a track are one, by pair: each frame's overlap is shared out. */
function alignmentOf({ frames, objectLengths, trackLengths }: Sequence): Map<number, number> {
  const together = new Map<number, number>();
  for (const { objects, tracks, overlaps } of frames) {
    const ofObject = new Float64Array(objects.length);
    const ofTrack = new Float64Array(tracks.length);
    for (const { object, track, iou } of overlaps) {
      ofObject[object] = (ofObject[object] ?? 0) + iou;
      ofTrack[track] = (ofTrack[track] ?? 0) + iou;
    }
    for (const { object, track, iou } of overlaps) {
      const pair = (objects[object] ?? 0) * trackLengths.length + (tracks[track] ?? 0);
      const all = (ofObject[object] ?? 0) + (ofTrack[track] ?? 0) - iou;
      together.set(pair, (together.get(pair) ?? 0) + iou / all);
    }
  }
  return new Map(
    [...together].map(([pair, count]) => {
      const object = objectLengths[Math.floor(pair / trackLengths.length)] ?? 0;
      const track = trackLengths[pair % trackLengths.length] ?? 0;
      return [pair, count / (object + track - count)];
    }),
  );
}

function matchFrame(
  { objects, tracks, overlaps }: SequenceFrame,
  alignment: (object: number, track: number) => number,
): { object: number; track: number; iou: number }[] {
  const pairs = new PairList();
  const overlapOf = new Map<number, number>();
  for (const { object, track, iou } of overlaps) {
    pairs.push(object, track, iou * alignment(objects[object] ?? -1, tracks[track] ?? -1));
    overlapOf.set(object * tracks.length + track, iou);
  }
  const found: { object: number; track: number; iou: number }[] = [];
  assign(pairs, objects.length, tracks.length).forEach((track, object) => {
    if (track < 0) return;
    const iou = overlapOf.get(object * tracks.length + track) ?? 0;
    found.push({ object: objects[object] ?? -1, track: tracks[track] ?? -1, iou });
  });
  return found;
}
