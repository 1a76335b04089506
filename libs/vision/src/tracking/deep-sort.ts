import type { Round } from './matching.ts';
import { withDefaults, type TrackingMethod } from './method.ts';
import { motionOf } from './motion.ts';
import type { TrackerOptions } from './tracker.ts';

export interface DeepSortOptions extends TrackerOptions {
  /** Least likeness (cosine) of what an object looks like. Default 0.8. */
  readonly likenessThreshold?: number;
  /** Largest squared Mahalanobis distance of a centre from where it is expected. Default 5.99 (95 %). */
  readonly maxDistance?: number;
}

/**
 * SORT that knows objects by their looks: embeddings are matched first, tracks seen last going first, within the gate
 * of the motion model; overlap then decides for what is left. Without embeddings overlap decides for all.
 *
 * Differences from the original: the motion model is SORT's unless noise is given, and the gate looks at the centre only;
 * a track keeps to its class, and its id is given at once (`minHits`); the gallery of a track holds its last 30 embeddings.
 *
 * Source: Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric" (ICIP 2017).
 */
export function deepSort(options: DeepSortOptions = {}): TrackingMethod {
  const { likenessThreshold = 0.8, maxDistance = 5.99, ...own } = options;
  const all = withDefaults(own, {});
  const byLooks: Round = {
    score: (track, { detection: { box }, embedding }) => {
      const likeness = track.likeness(embedding) ?? 0;
      if (likeness < likenessThreshold) return 0;
      const near = track.motion.distance(box.left + box.width / 2, box.top + box.height / 2) <= maxDistance;
      return near ? likeness : 0;
    },
    least: likenessThreshold,
    reach: 4,
  };
  const byOverlap: Round = { score: (_track, _candidate, overlap) => overlap, least: all.iouThreshold };
  return {
    name: 'deepsort',
    motion: motionOf(options),
    options: all,
    associate({ tracks, candidates, match }) {
      const withLooks = candidates.filter(({ embedding }) => embedding !== undefined);
      if (withLooks.length > 0) {
        const confirmed = tracks.filter((track) => track.confirmed);
        for (const missed of [...new Set(confirmed.map((track) => track.missed))].sort((a, b) => a - b)) {
          match(
            confirmed.filter((track) => track.missed === missed),
            withLooks,
            byLooks,
          );
        }
      }
      match(tracks, candidates, byOverlap);
    },
  };
}
