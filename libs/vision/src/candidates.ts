const MAX_CLASSES = 65_536;

/** Candidates that one frame may have; a threshold of 0 on a large grid would otherwise cost seconds. */
export const MAX_CANDIDATES = 100_000;

/**
 * Boxes on the way from a model's output to detections: hundreds of thousands a second, so they live in typed arrays
 * that are filled again for each frame. Nothing here allocates once the arrays have grown to the busiest frame.
 *
 * Coordinates are pixels of the NETWORK input (before letterboxing is undone), corners, continuous.
 */
export class CandidateList {
  /** Number of candidates. The arrays are longer: read only `[0, count)`. They are replaced when they grow. */
  count = 0;
  x1: Float32Array;
  y1: Float32Array;
  x2: Float32Array;
  y2: Float32Array;
  score: Float32Array;
  classId: Int32Array;
  /** Row of the model's output that a candidate came from, -1 when unknown: how its mask is found after suppression. */
  row: Int32Array;
  /** Points of a candidate (landmarks, corners, keypoints), x then y; `pointCount` of them each. */
  points: Float32Array;
  /** Confidence of each point, 0 to 1; only with `scoredPoints`. */
  pointScores: Float32Array;
  pointCount = 0;
  /** The points are keypoints with a confidence each, not landmarks or corners. */
  scoredPoints = false;
  /** Candidates of this frame that were refused because a score or coordinate was not finite (or a class below 0). */
  invalid = 0;
  /** Candidates of this frame beyond {@link MAX_CANDIDATES}, which were not kept. */
  overflow = 0;

  constructor(capacity = 256) {
    this.x1 = new Float32Array(capacity);
    this.y1 = new Float32Array(capacity);
    this.x2 = new Float32Array(capacity);
    this.y2 = new Float32Array(capacity);
    this.score = new Float32Array(capacity);
    this.classId = new Int32Array(capacity);
    this.row = new Int32Array(capacity);
    this.points = new Float32Array(0);
    this.pointScores = new Float32Array(0);
  }

  /** Empties the list for the next frame. `pointCount`: points that come with each candidate. */
  reset(pointCount = 0): void {
    this.count = 0;
    this.invalid = 0;
    this.overflow = 0;
    this.usePoints(pointCount);
  }

  /** A parser of a model with landmarks declares them before its first push. */
  usePoints(pointCount: number, scored = false): void {
    this.pointCount = pointCount;
    this.scoredPoints = scored;
    if (scored && this.pointScores.length < this.x1.length * pointCount) {
      this.pointScores = new Float32Array(this.x1.length * pointCount);
    }
    const needed = this.x1.length * pointCount * 2;
    if (this.points.length < needed) this.points = new Float32Array(needed);
  }

  /**
   * Appends a candidate; returns its index, or -1 (and counts it in `invalid`) if a number is out of range.
   *
   * @param row where it came from, for parsers that read masks later
   */
  push(x1: number, y1: number, x2: number, y2: number, score: number, classId: number, row = -1): number {
    // A sum is finite only if all its parts are; a class beyond the limit is a model gone wrong, not a class.
    if (!Number.isFinite(x1 + y1 + x2 + y2 + score) || !(classId >= 0 && classId < MAX_CLASSES)) {
      this.invalid += 1;
      return -1;
    }
    const index = this.count;
    if (index === this.x1.length) {
      if (index >= MAX_CANDIDATES) {
        this.overflow += 1;
        return -1;
      }
      this.#grow();
    }
    this.x1[index] = x1;
    this.y1[index] = y1;
    this.x2[index] = x2;
    this.y2[index] = y2;
    this.score[index] = score;
    this.classId[index] = classId;
    this.row[index] = row;
    this.count = index + 1;
    return index;
  }

  /** Sets a point of a candidate, in network pixels. */
  setPoint(index: number, point: number, x: number, y: number): void {
    const at = (index * this.pointCount + point) * 2;
    this.points[at] = x;
    this.points[at + 1] = y;
  }

  /** Sets a keypoint of a candidate and its confidence; call `usePoints(n, true)` first. */
  setKeypoint(index: number, point: number, x: number, y: number, score: number): void {
    this.setPoint(index, point, x, y);
    this.pointScores[index * this.pointCount + point] = score;
  }

  #grow(): void {
    const capacity = Math.min(MAX_CANDIDATES, Math.max(256, this.x1.length * 2));
    this.x1 = grown(this.x1, new Float32Array(capacity));
    this.y1 = grown(this.y1, new Float32Array(capacity));
    this.x2 = grown(this.x2, new Float32Array(capacity));
    this.y2 = grown(this.y2, new Float32Array(capacity));
    this.score = grown(this.score, new Float32Array(capacity));
    this.classId = grown(this.classId, new Int32Array(capacity));
    this.row = grown(this.row, new Int32Array(capacity));
    if (this.scoredPoints) {
      this.pointScores = grown(this.pointScores, new Float32Array(capacity * this.pointCount));
    }
    if (this.pointCount > 0) this.points = grown(this.points, new Float32Array(capacity * this.pointCount * 2));
  }
}

function grown<T extends Float32Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
