import { UNTRACKED, iou } from '../detection.ts';
import type { Detection } from '../detection.ts';
import { assign } from './assignment.ts';
import { BoxMotion } from './motion.ts';
import type { Tracker, TrackerOptions } from './tracker.ts';

export interface ByteTrackerOptions extends TrackerOptions {
  /** Name that is reported. */
  readonly name?: string;
  /** Detections from this score on are matched first and may start a track. 0 makes the tracker SORT. */
  readonly highThreshold?: number;
  /** Detections below this score are not looked at. */
  readonly lowThreshold?: number;
  /** Least score to start a track. */
  readonly newTrackThreshold?: number;
  /** Least overlap in the second round, of weak detections. */
  readonly lowIouThreshold?: number;
}

interface Track {
  id: number;
  readonly classId: number;
  readonly motion: BoxMotion;
  lastSeenUs: number;
  hits: number;
  missed: number;
}

/**
 * Tracking with a motion model in two rounds: strong detections are matched to all tracks, weak ones then to the
 * tracks that were seen in the last frame and found nothing, so that an object is not lost while it is half hidden.
 *
 * Differences from the paper: the time step is the frames' own; tracks keep to their class; an id is given at once
 * (`minHits` 1) unless asked otherwise.
 *
 * Source: Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box" (ECCV 2022);
 * ifzhang/ByteTrack, yolox/tracker/byte_tracker.py.
 */
export class ByteTracker implements Tracker {
  readonly name: string;
  readonly #options: Required<ByteTrackerOptions>;
  #tracks: Track[] = [];
  #nextId: number;
  #lastUs: number | undefined;

  constructor(options: ByteTrackerOptions = {}) {
    const highThreshold = options.highThreshold ?? 0.5;
    this.#options = {
      name: 'bytetrack',
      firstId: 1,
      iouThreshold: 0.2,
      maxAgeUs: 1_000_000,
      minHits: 1,
      lowThreshold: 0.1,
      lowIouThreshold: 0.5,
      newTrackThreshold: highThreshold === 0 ? 0 : highThreshold + 0.1,
      ...options,
      highThreshold,
    };
    this.name = this.#options.name;
    this.#nextId = this.#options.firstId;
  }

  get trackCount(): number {
    return this.#tracks.length;
  }

  reset(): void {
    this.#tracks = [];
    this.#lastUs = undefined;
  }

  update(detections: readonly Detection[], timeUs: number): Detection[] {
    const { maxAgeUs, iouThreshold, lowIouThreshold, highThreshold, lowThreshold, newTrackThreshold } = this.#options;
    const elapsedUs = timeUs - (this.#lastUs ?? timeUs);
    this.#lastUs = timeUs;
    this.#tracks = this.#tracks.filter((track) => track.missed === 0 || timeUs - track.lastSeenUs <= maxAgeUs);
    for (const track of this.#tracks) {
      if (track.missed > 0) track.motion.holdSize();
      track.motion.predict(elapsedUs);
    }

    const ids = new Int32Array(detections.length).fill(UNTRACKED);
    const strong: number[] = [];
    const weak: number[] = [];
    detections.forEach(({ confidence }, index) => {
      if (confidence >= highThreshold) strong.push(index);
      else if (confidence >= lowThreshold) weak.push(index);
    });
    const first = this.#match(this.#tracks, strong, detections, iouThreshold, timeUs, ids);
    const seenLastFrame = first.tracks.filter((track) => track.missed === 0);
    const second = this.#match(seenLastFrame, weak, detections, lowIouThreshold, timeUs, ids);

    const lost = new Set([...first.tracks.filter((track) => track.missed > 0), ...second.tracks]);
    for (const track of lost) track.missed += 1;
    this.#tracks = this.#tracks.filter((track) => track.missed === 0 || track.id !== UNTRACKED);
    for (const index of first.detections) {
      const detection = detections[index];
      if (detection === undefined || detection.confidence < newTrackThreshold) continue;
      const motion = new BoxMotion(detection.box);
      const track: Track = {
        id: UNTRACKED,
        classId: detection.classId,
        motion,
        lastSeenUs: timeUs,
        hits: 1,
        missed: 0,
      };
      this.#tracks.push(track);
      ids[index] = this.#confirm(track);
    }
    return detections.map((detection, index) => ({ ...detection, trackingId: ids[index] ?? UNTRACKED }));
  }

  /** Continues tracks with detections; returns the tracks and detections that found no partner. */
  #match(
    tracks: readonly Track[],
    candidates: readonly number[],
    detections: readonly Detection[],
    least: number,
    timeUs: number,
    ids: Int32Array,
  ): { tracks: Track[]; detections: number[] } {
    const overlap = new Float64Array(tracks.length * candidates.length);
    tracks.forEach((track, row) => {
      const box = track.motion.box;
      candidates.forEach((index, column) => {
        const detection = detections[index];
        if (detection === undefined || detection.classId !== track.classId) return;
        overlap[row * candidates.length + column] = iou(box, detection.box);
      });
    });
    const columnOf = assign(overlap, tracks.length, candidates.length, Math.max(least, 1e-9));
    const matched = new Set<number>();
    const left: Track[] = [];
    tracks.forEach((track, row) => {
      const index = candidates[columnOf[row] ?? -1];
      const detection = index === undefined ? undefined : detections[index];
      if (index === undefined || detection === undefined) {
        left.push(track);
        return;
      }
      matched.add(index);
      track.motion.correct(detection.box);
      track.lastSeenUs = timeUs;
      track.missed = 0;
      track.hits += 1;
      ids[index] = this.#confirm(track);
    });
    return { tracks: left, detections: candidates.filter((index) => !matched.has(index)) };
  }

  #confirm(track: Track): number {
    if (track.id === UNTRACKED && track.hits >= this.#options.minHits) {
      track.id = this.#nextId;
      this.#nextId += 1;
    }
    return track.id;
  }
}
