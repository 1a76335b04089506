import type { Candidate } from './candidate.ts';
import type { Round } from './matching.ts';
import { withDefaults, type TrackingMethod } from './method.ts';
import { motionOf } from './motion.ts';
import type { Track } from './track.ts';
import type { TrackerOptions } from './tracker.ts';

export interface NvDcfOptions extends TrackerOptions {
  /** Detections from this confidence on may start a track and are matched by all scores. Default 0: all of them. */
  readonly highThreshold?: number;
  /** Least overlap in a second round, of the weaker detections. Default 0.5. */
  readonly lowIouThreshold?: number;
  /** Least similarity of size. Default 0.36. */
  readonly sizeThreshold?: number;
  /** Least likeness of what an object looks like, where there are embeddings. Default 0.5. */
  readonly likenessThreshold?: number;
  /** Least sum of the weighted scores. Default 0.02. */
  readonly scoreThreshold?: number;
  /** Weight of the overlap. Default 0.4. */
  readonly overlapWeight?: number;
  /** Weight of the size. Default 0.6. */
  readonly sizeWeight?: number;
  /** Weight of the likeness, or of the place where there are no embeddings. Default 0.4. */
  readonly responseWeight?: number;
  /** How far around its box an object is looked for, as part of the box's mean side. Default 1. */
  readonly reach?: number;
}

/** 99 % of the detections of an object lie nearer to where it is expected (chi squared, 2 degrees of freedom). */
const FARTHEST = 9.21;

/**
 * The association of NVIDIA's NvDCF without its correlation filter: overlap, size and "response", weighted and summed,
 * within a search region around where the object is expected, also when the boxes do not overlap. The filter looks at
 * pixels, which a tracker of boxes does not have; its response is replaced by the likeness of embeddings where the
 * caller has some, else by how likely the place is under the motion model. An object that the detector misses is
 * therefore not seen on by its looks: its track waits where the motion model expects it.
 *
 * Defaults are those of NVIDIA's config_tracker_NvDCF_accuracy.yml, rounded.
 *
 * Source: Gst-nvtracker of the DeepStream documentation, "NvDCF" and "Data association".
 */
export function nvDcf(options: NvDcfOptions = {}): TrackingMethod {
  const { highThreshold = 0, lowIouThreshold = 0.5, ...rest } = options;
  const { sizeThreshold = 0.36, likenessThreshold = 0.5, scoreThreshold = 0.02, reach = 1, ...more } = rest;
  const { overlapWeight = 0.4, sizeWeight = 0.6, responseWeight = 0.4, ...own } = more;
  const all = withDefaults(own, { iouThreshold: 0.05, newTrackThreshold: highThreshold, maxOverlapToStart: 0.8 });
  const score = (track: Track, candidate: Candidate, overlap: number): number => {
    if (overlap < all.iouThreshold) return 0;
    const size = sizeSimilarity(track, candidate);
    if (size < sizeThreshold) return 0;
    const { left, top, width, height } = candidate.detection.box;
    const distance = track.motion.distance(left + width / 2, top + height / 2);
    if (distance > FARTHEST) return 0;
    const likeness = track.likeness(candidate.embedding);
    if (likeness !== undefined && likeness < likenessThreshold) return 0;
    const response = likeness ?? Math.exp(-distance / 2);
    return overlapWeight * overlap + sizeWeight * size + responseWeight * response;
  };
  const round: Round = { score, least: scoreThreshold, reach };
  const weakRound: Round = { score: (_track, _candidate, overlap) => overlap, least: lowIouThreshold };
  return {
    name: 'nvdcf',
    motion: motionOf(options),
    options: all,
    associate({ tracks, candidates, match }) {
      const strong = candidates.filter(({ detection }) => detection.confidence >= highThreshold);
      // Who was seen just now goes first: a lost track must not take an object from one that is in sight.
      match(
        tracks.filter(({ missed, confirmed }) => missed === 0 && confirmed),
        strong,
        round,
      );
      match(tracks, strong, round);
      match(tracks, candidates, weakRound);
    },
  };
}

/** Of two boxes: the shorter width by the longer, times the same of the heights. */
function sizeSimilarity({ expected }: Track, { detection: { box } }: Candidate): number {
  const width = Math.min(expected.width, box.width) / Math.max(expected.width, box.width);
  return (width * Math.min(expected.height, box.height)) / Math.max(expected.height, box.height);
}
