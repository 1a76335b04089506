import { AssociationTracker } from './association-tracker.ts';
import { byteTrack, lightTrack, type ByteTrackOptions } from './byte-track.ts';
import { deepSort, type DeepSortOptions } from './deep-sort.ts';
import type { TrackingMethod } from './method.ts';
import { nvDcf, type NvDcfOptions } from './nvdcf.ts';
import { overlapOnly, sort } from './sort.ts';
import type { Tracker } from './tracker.ts';

/** What any tracker may be told; each takes what concerns it. */
export type TrackerTuning = ByteTrackOptions & NvDcfOptions & DeepSortOptions;

/** Trackers there are, by the name a user writes. A new one is a file and a line here. */
const METHODS = {
  iou: overlapOnly,
  sort,
  bytetrack: byteTrack,
  nvdcf: nvDcf,
  deepsort: deepSort,
  'light-tracker': lightTrack,
} satisfies Record<string, (options: TrackerTuning) => TrackingMethod>;

export type TrackerName = keyof typeof METHODS;
export const TRACKER_NAMES = Object.keys(METHODS) as readonly TrackerName[];

/** The name in any case, or undefined for one that is none. */
export function trackerName(name: string): TrackerName | undefined {
  return TRACKER_NAMES.find((known) => known === name.toLowerCase());
}

/** A tracker as a configuration file describes it: the low-level tracker of `@vantage/deepstream` is one. */
export interface TrackerSpec {
  readonly runsAs: TrackerName;
  readonly tuning: Omit<TrackerTuning, 'maxAgeUs'> & {
    /** Frames that a track outlives its last detection. */
    readonly maxAgeFrames?: number;
  };
}

/** What a file leaves to the camera. */
export interface TrackerContext extends TrackerTuning {
  /** Time from frame to frame of the model, for ages that are given in frames. Default 1/30 s. */
  readonly frameIntervalUs?: number;
}

/**
 * @param wanted a name, or what a tracker configuration says
 * @param context goes before what the configuration says
 */
export function createTracker(wanted: TrackerName | TrackerSpec, context: TrackerContext = {}): Tracker {
  const { frameIntervalUs = 1e6 / 30, ...options } = context;
  if (typeof wanted === 'string') return new AssociationTracker(METHODS[wanted](options));
  const { maxAgeFrames, ...tuning } = wanted.tuning;
  const age = maxAgeFrames === undefined ? {} : { maxAgeUs: Math.round(maxAgeFrames * frameIntervalUs) };
  return new AssociationTracker(METHODS[wanted.runsAs]({ ...age, ...tuning, ...options }));
}
