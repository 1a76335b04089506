import { ByteTracker } from './byte-tracker.ts';
import { IouTracker } from './iou-tracker.ts';
import type { Tracker, TrackerOptions } from './tracker.ts';

/** Trackers there are, by the name a user writes. */
export const TRACKER_NAMES = ['iou', 'sort', 'bytetrack', 'light-tracker'] as const;
export type TrackerName = (typeof TRACKER_NAMES)[number];

/** The name in any case, or undefined for one that is none. */
export function trackerName(name: string): TrackerName | undefined {
  return TRACKER_NAMES.find((known) => known === name.toLowerCase());
}

/** `light-tracker` (the twin's name for a built-in tracker) is `sort`: cheap, and every detection gets an id. */
export function createTracker(name: TrackerName, options: TrackerOptions = {}): Tracker {
  switch (name) {
    case 'iou':
      return new IouTracker(options);
    case 'bytetrack':
      return new ByteTracker(options);
    case 'sort':
    case 'light-tracker':
      return new ByteTracker({ ...options, name, highThreshold: 0 });
  }
}
