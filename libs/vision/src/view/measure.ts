import { broadLight, likeness, likenessShifted, lostStructure, stepsOf, structuredPart } from './structure.ts';
import type { Thumbnail } from './thumbnail.ts';

const { abs } = Math;

/** What a camera usually sees: grows out of the pictures in which nothing is wrong. */
export interface UsualView {
  readonly grey: Float32Array;
  readonly steps: Float32Array;
  readonly broad: Float32Array;
  readonly steepness: number;
}

/** What can be said about a picture. All numbers are of the view, none of time. */
export interface ViewMeasures {
  /** Mean grey, 0 to 255, and that of its brightest twentieth. */
  readonly light: number;
  readonly brightest: number;
  /** Against the picture before: mean and largest change of a cell, grey levels. NaN for the first. */
  readonly change: number;
  readonly largestChange: number;
  /** Part of the steps between cells that are large: 0 for a wall. */
  readonly structure: number;
  /** NaN without edges enough to tell. */
  readonly steepness: number;
  /** Against the usual view; NaN without one. */
  readonly lost: number;
  readonly broadLikeness: number;
  readonly likeness: number;
  /** The same, of the best place that the view may have moved to; 0 where it stands as it did. */
  readonly likenessElsewhere: number;
}

/** A view that is so much like itself has not moved. */
const SURE = 0.7;
/** With fewer edges their steepness is chance. */
const EDGES_ENOUGH = 0.001;

/** @param smooth grey of the last seconds, so that what passes by counts little */
export function measureView(
  now: Thumbnail,
  before: Thumbnail | undefined,
  smooth: Float32Array,
  usual: UsualView | undefined,
): ViewMeasures {
  const { grey } = now;
  const steps = stepsOf(now, grey);
  const sorted = Float32Array.from(grey).sort();
  let light = 0;
  let change = 0;
  let largestChange = 0;
  for (let at = 0; at < grey.length; at += 1) {
    light += grey[at] as number;
    const moved = abs((grey[at] as number) - (before?.grey[at] ?? Number.NaN));
    change += moved;
    if (moved > largestChange) largestChange = moved;
  }
  const smoothSteps = stepsOf(now, smooth);
  const alike = usual ? likeness(usual.steps, smoothSteps) : Number.NaN;
  return {
    light: light / grey.length,
    brightest: sorted[Math.floor(sorted.length * 0.95)] ?? 0,
    change: change / grey.length,
    largestChange,
    structure: structuredPart(steps),
    steepness: now.edges < EDGES_ENOUGH ? Number.NaN : now.steepness,
    lost: usual ? lostStructure(usual.steps, steps) : Number.NaN,
    broadLikeness: usual ? likeness(usual.broad, broadLight(now, grey)) : Number.NaN,
    likeness: alike,
    // Costly: not asked while all is well.
    likenessElsewhere: usual && alike < SURE ? likenessShifted(now, usual.steps, smoothSteps) : 0,
  };
}
