import { UNTRACKED, iou } from '../detection.ts';
import type { Box, Detection } from '../detection.ts';
import { candidatesOf, type Candidate } from './candidate.ts';
import { Matching } from './matching.ts';
import type { TrackingMethod } from './method.ts';
import { BoxMotion, Standstill } from './motion.ts';
import { Track } from './track.ts';
import type { Tracker } from './tracker.ts';

/** What a motion model says is believed for this long at least, where tracks live shorter. */
const MIN_PREDICTION_US = 1_000_000;

/** The part that all trackers share: time, the life of tracks, ids. How detections find their track is the method's. */
export class AssociationTracker implements Tracker {
  readonly name: string;
  readonly #method: TrackingMethod;
  readonly #matching: Matching;
  #tracks: Track[] = [];
  #nextId: number;
  #lastUs: number | undefined;
  /** Frame time that has passed: goes on where the time of the frames steps back. */
  #nowUs = 0;

  constructor(method: TrackingMethod) {
    this.#method = method;
    this.#matching = new Matching(method.options.matchClasses);
    this.name = method.name;
    this.#nextId = method.options.firstId;
  }

  get trackCount(): number {
    return this.#tracks.length;
  }

  reset(): void {
    this.#tracks = [];
    this.#lastUs = undefined;
  }

  update(
    detections: readonly Detection[],
    timeUs: number,
    embeddings?: readonly (Float32Array | undefined)[],
  ): Detection[] {
    const { maxAgeUs } = this.#method.options;
    const elapsedUs = this.#elapsed(timeUs);
    this.#nowUs += elapsedUs;
    if (Number.isFinite(timeUs)) this.#lastUs = timeUs;
    // A track always lives to the next frame, however late that comes; after a miss its age counts.
    this.#tracks = this.#tracks.filter(
      ({ missed, lastSeenUs }) => missed === 0 || this.#nowUs - lastSeenUs <= maxAgeUs,
    );
    const predictedUs = this.#believable(elapsedUs);
    for (const track of this.#tracks) track.predict(predictedUs);

    const candidates = candidatesOf(detections, embeddings, this.#method.options);
    // Float64: an id may outgrow 32 bits.
    const ids = new Float64Array(detections.length).fill(UNTRACKED);
    const seen = this.#associate(candidates, ids);
    for (const track of this.#tracks) if (!seen.has(track)) track.missed += 1;
    // A track that was never confirmed does not survive a miss.
    this.#tracks = this.#tracks.filter((track) => track.missed === 0 || track.confirmed);
    this.#start(candidates, ids);
    const smoothed = this.#method.options.smoothBoxes ? this.#boxes() : undefined;
    return detections.map((detection, index) => {
      const trackingId = ids[index] as number;
      const box = smoothed?.get(trackingId) ?? detection.box;
      return { ...detection, box, trackingId };
    });
  }

  predict(timeUs: number): Detection[] {
    const elapsedUs = this.#believable(this.#elapsed(timeUs));
    return this.#tracks
      .filter(({ missed, confirmed }) => missed === 0 && confirmed)
      .sort((a, b) => a.id - b.id)
      .map((track) => track.detectionIn(elapsedUs));
  }

  /** By id. */
  #boxes(): Map<number, Box> {
    const seen = this.#tracks.filter(({ missed, confirmed }) => missed === 0 && confirmed);
    return new Map(seen.map(({ id, motion }) => [id, motion.box]));
  }

  #elapsed(timeUs: number): number {
    return Number.isFinite(timeUs) ? Math.max(0, timeUs - (this.#lastUs ?? timeUs)) : 0;
  }

  /** After a long gap an object is not where its speed of then would have brought it. */
  #believable(elapsedUs: number): number {
    return Math.min(elapsedUs, Math.max(MIN_PREDICTION_US, this.#method.options.maxAgeUs));
  }

  #associate(candidates: readonly Candidate[], ids: Float64Array): Set<Track> {
    const seen = new Set<Track>();
    this.#method.associate({
      tracks: this.#tracks,
      candidates,
      match: (tracks, those, round) => {
        const freeTracks = seen.size === 0 ? tracks : tracks.filter((track) => !seen.has(track));
        const free = seen.size === 0 ? those : those.filter(({ taken }) => !taken);
        this.#matching.run(freeTracks, free, round, (track, candidate) => {
          candidate.taken = true;
          seen.add(track);
          track.see(candidate, this.#nowUs);
          ids[candidate.index] = this.#confirm(track);
        });
      },
    });
    return seen;
  }

  /** What found no track starts one. */
  #start(candidates: readonly Candidate[], ids: Float64Array): void {
    const { newTrackThreshold, maxTracks } = this.#method.options;
    const { motion } = this.#method;
    const taken = candidates.filter((candidate) => candidate.taken);
    for (const candidate of candidates) {
      const { detection, index } = candidate;
      if (candidate.taken || detection.confidence < newTrackThreshold) continue;
      if (this.#isSecondBox(candidate, taken) || !this.#makeRoom(maxTracks)) continue;
      const { box } = detection;
      const track = new Track(candidate, motion ? new BoxMotion(box, motion) : new Standstill(box), this.#nowUs);
      this.#tracks.push(track);
      ids[index] = this.#confirm(track);
    }
  }

  #isSecondBox({ detection }: Candidate, taken: readonly Candidate[]): boolean {
    const { maxOverlapToStart, matchClasses } = this.#method.options;
    if (maxOverlapToStart >= 1) return false;
    return taken.some(
      (other) =>
        (!matchClasses || other.detection.classId === detection.classId) &&
        iou(other.detection.box, detection.box) > maxOverlapToStart,
    );
  }

  /** The track that has been out of sight longest ends for a new one. */
  #makeRoom(maxTracks: number): boolean {
    if (this.#tracks.length < maxTracks) return true;
    let oldest: Track | undefined;
    for (const track of this.#tracks) {
      if (track.missed > 0 && (oldest === undefined || track.lastSeenUs < oldest.lastSeenUs)) oldest = track;
    }
    if (oldest === undefined) return false;
    this.#tracks.splice(this.#tracks.indexOf(oldest), 1);
    return true;
  }

  #confirm(track: Track): number {
    if (!track.confirmed && track.hits >= this.#method.options.minHits) {
      track.id = this.#nextId;
      this.#nextId += 1;
    }
    return track.id;
  }
}
