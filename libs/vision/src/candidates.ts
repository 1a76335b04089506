const MAX_CLASSES = 65_536;

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
  /** Points of a candidate (landmarks, corners), x then y; `pointCount` of them each. */
  points: Float32Array;
  pointCount = 0;
  /** Candidates of this frame that were refused because a score or coordinate was not finite (or a class below 0). */
  invalid = 0;

  constructor(capacity = 256) {
    this.x1 = new Float32Array(capacity);
    this.y1 = new Float32Array(capacity);
    this.x2 = new Float32Array(capacity);
    this.y2 = new Float32Array(capacity);
    this.score = new Float32Array(capacity);
    this.classId = new Int32Array(capacity);
    this.points = new Float32Array(0);
  }

  /** Empties the list for the next frame. `pointCount`: points that come with each candidate. */
  reset(pointCount = 0): void {
    this.count = 0;
    this.invalid = 0;
    this.usePoints(pointCount);
  }

  /** A parser of a model with landmarks declares them before its first push. */
  usePoints(pointCount: number): void {
    this.pointCount = pointCount;
    const needed = this.x1.length * pointCount * 2;
    if (this.points.length < needed) this.points = new Float32Array(needed);
  }

  /** Appends a candidate; returns its index, or -1 (and counts it in `invalid`) if a number is out of range. */
  push(x1: number, y1: number, x2: number, y2: number, score: number, classId: number): number {
    // A sum is finite only if all its parts are; a class beyond the limit is a model gone wrong, not a class.
    if (!Number.isFinite(x1 + y1 + x2 + y2 + score) || !(classId >= 0 && classId < MAX_CLASSES)) {
      this.invalid += 1;
      return -1;
    }
    const index = this.count;
    if (index === this.x1.length) this.#grow();
    this.x1[index] = x1;
    this.y1[index] = y1;
    this.x2[index] = x2;
    this.y2[index] = y2;
    this.score[index] = score;
    this.classId[index] = classId;
    this.count = index + 1;
    return index;
  }

  /** Sets a point of a candidate, in network pixels. */
  setPoint(index: number, point: number, x: number, y: number): void {
    const at = (index * this.pointCount + point) * 2;
    this.points[at] = x;
    this.points[at + 1] = y;
  }

  #grow(): void {
    const capacity = Math.max(256, this.x1.length * 2);
    this.x1 = grown(this.x1, new Float32Array(capacity));
    this.y1 = grown(this.y1, new Float32Array(capacity));
    this.x2 = grown(this.x2, new Float32Array(capacity));
    this.y2 = grown(this.y2, new Float32Array(capacity));
    this.score = grown(this.score, new Float32Array(capacity));
    this.classId = grown(this.classId, new Int32Array(capacity));
    if (this.pointCount > 0) this.points = grown(this.points, new Float32Array(capacity * this.pointCount * 2));
  }
}

function grown<T extends Float32Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
