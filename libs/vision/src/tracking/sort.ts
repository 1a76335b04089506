import { withDefaults, type TrackingMethod } from './method.ts';
import { motionOf } from './motion.ts';
import type { TrackerOptions } from './tracker.ts';

/**
 * A motion model, and the assignment of the greatest overlap: cheap, and every detection counts alike.
 *
 * Differences from the original: the time step is the frames' own; a track keeps to its class and outlives its last
 * detection by a second instead of a frame; its id is given at once (`minHits`); boxes are given out as detected
 * (`smoothBoxes`).
 *
 * Source: Bewley et al., "Simple Online and Realtime Tracking" (ICIP 2016).
 */
export function sort(options: TrackerOptions = {}): TrackingMethod {
  const all = withDefaults(options, {});
  const round = {
    score: (_track: unknown, _candidate: unknown, overlap: number) => overlap,
    least: all.iouThreshold,
  };
  return {
    name: 'sort',
    motion: motionOf(options),
    options: all,
    associate({ tracks, candidates, match }) {
      match(tracks, candidates, round);
    },
  };
}

/**
 * The simplest tracker: a detection continues the track of its class that it overlaps most, best overall assignment.
 * No motion model, so objects must overlap themselves from frame to frame.
 *
 * Source: Bochinski et al., "High-Speed Tracking-by-Detection Without Using Image Information" (AVSS 2017), with an
 * optimal assignment in place of the greedy one.
 */
export function overlapOnly(options: TrackerOptions = {}): TrackingMethod {
  return { ...sort(options), name: 'iou', motion: undefined };
}
