import type { Candidate } from './candidate.ts';
import type { Round } from './matching.ts';
import type { MotionModel } from './motion.ts';
import type { Track } from './track.ts';
import type { MotionNoise, TrackerOptions } from './tracker.ts';

/** What makes a tracker: a way to bring the tracks and detections of a frame together. */
export interface TrackingMethod {
  readonly name: string;
  /** Where a track is expected; undefined: where it was last seen. */
  readonly motion: MotionModel | undefined;
  readonly options: FullOptions;
  /** Calls `frame.match` once or several times. */
  associate(frame: FrameToMatch): void;
}

/** One frame: the tracks so far, each moved on to it, and what was detected. */
export interface FrameToMatch {
  readonly tracks: readonly Track[];
  /** From left to right; a subset must keep that order. */
  readonly candidates: readonly Candidate[];
  /** Matches; each track and candidate is left out of later rounds when it has found a partner. */
  readonly match: (tracks: readonly Track[], candidates: readonly Candidate[], round: Round) => void;
}

/** With every value; of the noise the motion model has its own. */
export type FullOptions = Required<Omit<TrackerOptions, keyof MotionNoise>>;

/** Fills up what every tracker understands. */
export function withDefaults(options: TrackerOptions, own: TrackerOptions): FullOptions {
  return {
    firstId: 1,
    iouThreshold: 0.3,
    maxAgeUs: 1_000_000,
    minHits: 1,
    lowThreshold: 0,
    newTrackThreshold: 0,
    maxOverlapToStart: 1,
    maxTracks: 2000,
    matchClasses: true,
    onlyClasses: [],
    smoothBoxes: false,
    ...own,
    ...options,
  };
}
