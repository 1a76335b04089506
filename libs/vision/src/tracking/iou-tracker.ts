import { UNTRACKED, iou } from '../detection.ts';
import type { Box, Detection } from '../detection.ts';
import { assign } from './assignment.ts';
import type { Tracker, TrackerOptions } from './tracker.ts';

interface Track {
  /** UNTRACKED until confirmed. */
  id: number;
  readonly classId: number;
  box: Box;
  lastSeenUs: number;
  hits: number;
  /** Frames without a detection since the last one. */
  missed: number;
}

/**
 * The simplest tracker: a detection continues the track of its class that it overlaps most, best overall assignment.
 * No motion model, so objects must overlap themselves from frame to frame.
 *
 * Source: Bochinski et al., "High-Speed Tracking-by-Detection Without Using Image Information" (2017), with an optimal
 * assignment in place of the greedy one.
 */
export class IouTracker implements Tracker {
  readonly name = 'iou';
  readonly #iouThreshold: number;
  readonly #maxAgeUs: number;
  readonly #minHits: number;
  #tracks: Track[] = [];
  #nextId: number;

  constructor({ firstId = 1, iouThreshold = 0.3, maxAgeUs = 1_000_000, minHits = 1 }: TrackerOptions = {}) {
    this.#nextId = firstId;
    this.#iouThreshold = iouThreshold;
    this.#maxAgeUs = maxAgeUs;
    this.#minHits = minHits;
  }

  get trackCount(): number {
    return this.#tracks.length;
  }

  reset(): void {
    this.#tracks = [];
  }

  update(detections: readonly Detection[], timeUs: number): Detection[] {
    // A track always lives to the next frame, however late that comes; after a miss its age counts.
    this.#tracks = this.#tracks.filter((track) => track.missed === 0 || timeUs - track.lastSeenUs <= this.#maxAgeUs);
    const tracks = this.#tracks;
    const overlap = new Float64Array(tracks.length * detections.length);
    tracks.forEach((track, row) => {
      detections.forEach((detection, column) => {
        if (detection.classId !== track.classId) return;
        overlap[row * detections.length + column] = iou(track.box, detection.box);
      });
    });
    const columnOf = assign(overlap, tracks.length, detections.length, Math.max(this.#iouThreshold, 1e-9));
    const ids = new Int32Array(detections.length).fill(UNTRACKED);
    const taken = new Uint8Array(detections.length);
    tracks.forEach((track, row) => {
      const column = columnOf[row] ?? -1;
      const detection = detections[column];
      if (detection === undefined) {
        track.missed += 1;
        return;
      }
      taken[column] = 1;
      track.box = detection.box;
      track.lastSeenUs = timeUs;
      track.missed = 0;
      track.hits += 1;
      ids[column] = this.#confirm(track);
    });
    // A track that was never confirmed does not survive a miss.
    this.#tracks = tracks.filter((track) => track.missed === 0 || track.id !== UNTRACKED);
    detections.forEach((detection, column) => {
      if (taken[column] === 1) return;
      const { classId, box } = detection;
      const track: Track = { id: UNTRACKED, classId, box, lastSeenUs: timeUs, hits: 1, missed: 0 };
      this.#tracks.push(track);
      ids[column] = this.#confirm(track);
    });
    return detections.map((detection, column) => ({ ...detection, trackingId: ids[column] ?? UNTRACKED }));
  }

  #confirm(track: Track): number {
    if (track.id === UNTRACKED && track.hits >= this.#minHits) {
      track.id = this.#nextId;
      this.#nextId += 1;
    }
    return track.id;
  }
}
