import { UNTRACKED } from '../detection.ts';
import type { Box, Detection, Keypoint, Point } from '../detection.ts';
import type { Candidate } from './candidate.ts';
import type { Motion } from './motion.ts';

/** What objects looked like lately: this many are kept of a track (Deep SORT keeps 100). */
const GALLERY = 30;

/** One object on its way through the frames. */
export class Track {
  /** UNTRACKED until it is confirmed. */
  id = UNTRACKED;
  readonly motion: Motion;
  /** The detection that it was last matched to. */
  last: Detection;
  lastSeenUs: number;
  hits = 1;
  /** Frames without a detection since the last one. */
  missed = 0;
  /** Where the object is expected in this frame. */
  expected: Box;
  readonly #gallery: Float32Array[] = [];
  #oldest = 0;

  constructor({ detection, embedding }: Candidate, motion: Motion, nowUs: number) {
    this.motion = motion;
    this.last = detection;
    this.lastSeenUs = nowUs;
    this.expected = detection.box;
    this.#remember(embedding);
  }

  get confirmed(): boolean {
    return this.id !== UNTRACKED;
  }

  predict(elapsedUs: number): void {
    if (this.missed > 0) this.motion.holdSize();
    this.motion.predict(elapsedUs);
    this.expected = this.motion.box;
  }

  see({ detection, embedding }: Candidate, nowUs: number): void {
    this.motion.correct(detection.box);
    this.last = detection;
    this.lastSeenUs = nowUs;
    this.missed = 0;
    this.hits += 1;
    this.#remember(embedding);
  }

  /** Cosine of an embedding and the one most like it that the track has had; undefined where there is none. */
  likeness(embedding: Float32Array | undefined): number | undefined {
    if (!embedding) return undefined;
    let best: number | undefined;
    for (const known of this.#gallery) {
      if (known.length !== embedding.length) continue;
      let cosine = 0;
      for (let i = 0; i < known.length; i += 1) cosine += (known[i] as number) * (embedding[i] as number);
      if (best === undefined || cosine > best) best = cosine;
    }
    return best;
  }

  /** The object `elapsedUs` after it was last seen, at the place the motion gives it. */
  detectionIn(elapsedUs: number): Detection {
    const { last } = this;
    const box = this.motion.boxIn(elapsedUs);
    const { points, keypoints } = last;
    return {
      ...last,
      box,
      trackingId: this.id,
      ...(points ? { points: points.map((point) => moved(point, last.box, box)) } : {}),
      ...(keypoints ? { keypoints: keypoints.map((point) => moved(point, last.box, box)) } : {}),
    };
  }

  #remember(embedding: Float32Array | undefined): void {
    if (!embedding) return;
    this.#gallery[this.#oldest] = embedding;
    this.#oldest = (this.#oldest + 1) % GALLERY;
  }
}

/** A point keeps its place in the box. */
function moved<P extends Point | Keypoint>(point: P, from: Box, to: Box): P {
  return {
    ...point,
    x: to.left + ((point.x - from.left) / from.width) * to.width,
    y: to.top + ((point.y - from.top) / from.height) * to.height,
  };
}
