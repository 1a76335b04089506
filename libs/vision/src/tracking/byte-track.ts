import type { Round } from './matching.ts';
import { withDefaults, type TrackingMethod } from './method.ts';
import { motionOf } from './motion.ts';
import type { TrackerOptions } from './tracker.ts';

export interface ByteTrackOptions extends TrackerOptions {
  /** Detections from this confidence on are matched first. Default 0.5. */
  readonly highThreshold?: number;
  /** Least overlap in the second round, of weak detections. Default 0.5. */
  readonly lowIouThreshold?: number;
  /** Least score for a track without an id yet. Default 0.3. */
  readonly unconfirmedThreshold?: number;
  /** Whether the score of a strong detection is its overlap times its confidence. Default true. */
  readonly fuseScore?: boolean;
}

/**
 * Tracking with a motion model in two rounds: strong detections are matched to all tracks, weak ones then to the
 * tracks that were seen in the last frame and found nothing, so that an object is not lost while it is half hidden.
 * Tracks without an id yet come last.
 *
 * Differences from the original: the motion model is that of SORT, which measures better (docs of `vantage track`); the
 * time step is the frames' own; tracks keep to their class; an id is given at once (`minHits`); of two tracks on top of
 * each other neither is removed.
 *
 * Source: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box" (ECCV 2022);
 * ifzhang/ByteTrack, yolox/tracker/byte_tracker.py.
 */
export function byteTrack(options: ByteTrackOptions = {}): TrackingMethod {
  const { highThreshold = 0.5, lowIouThreshold = 0.5, unconfirmedThreshold = 0.3, fuseScore = true, ...rest } = options;
  const all = withDefaults(rest, { iouThreshold: 0.2, lowThreshold: 0.1, newTrackThreshold: highThreshold + 0.1 });
  const strongly = (least: number): Round => ({
    score: fuseScore
      ? (_track, { detection }, overlap) => overlap * detection.confidence
      : (_track, _candidate, overlap) => overlap,
    least,
  });
  const confirmedRound = strongly(all.iouThreshold);
  const unconfirmedRound = strongly(unconfirmedThreshold);
  const weakRound: Round = { score: (_track, _candidate, overlap) => overlap, least: lowIouThreshold };
  return {
    name: 'bytetrack',
    motion: motionOf(options),
    options: all,
    associate({ tracks, candidates, match }) {
      const strong = candidates.filter(({ detection }) => detection.confidence >= highThreshold);
      const weak = candidates.filter(({ detection }) => detection.confidence < highThreshold);
      const confirmed = tracks.filter((track) => track.confirmed);
      match(confirmed, strong, confirmedRound);
      match(
        confirmed.filter(({ missed }) => missed === 0),
        weak,
        weakRound,
      );
      match(
        tracks.filter((track) => !track.confirmed),
        strong,
        unconfirmedRound,
      );
    },
  };
}

/**
 * What stands for the light tracker of Azure DeepStream Accelerator, with its thresholds: ByteTrack's two rounds at 0.3.
 * Every detection gets an id, where the original leaves those below 0.5 without one.
 *
 * Source: contract D.8.
 */
export function lightTrack(options: ByteTrackOptions = {}): TrackingMethod {
  const light: ByteTrackOptions = {
    highThreshold: 0.3,
    lowThreshold: 0,
    newTrackThreshold: 0,
    fuseScore: false,
    maxAgeUs: 2_000_000,
  };
  return { ...byteTrack({ ...light, ...options }), name: 'light-tracker' };
}
