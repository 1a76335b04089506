import type { CandidateList } from './candidates.ts';
import { ClassClusterer, type ClusterParameters } from './cluster.ts';

export interface SuppressionSettings {
  /**
   * nvinfer's `cluster-mode`. `none` only sorts and cuts (models that end in NMS); `hybrid` is DBSCAN without merging,
   * then NMS. Modes that merge overwrite the boxes of candidates.
   */
  readonly mode: 'none' | 'nms' | 'dbscan' | 'hybrid' | 'group-rectangles';
  /** A candidate goes when it overlaps a better one by more than this IoU. */
  readonly iouThreshold: number;
  /** IoU thresholds of single classes, where they differ. Not looked at with `classAgnostic`. */
  readonly iouThresholds?: ReadonlyMap<number, number>;
  /** Keep the best so many of each class (of all, with `classAgnostic`), after suppression. */
  readonly topK?: number;
  /** `topK` of single classes, where they differ. */
  readonly topKs?: ReadonlyMap<number, number>;
  /** For the modes besides `none` and `nms`; without them such a mode leaves the boxes as they are. */
  readonly clustering?: ClusterParameters;
  /** `clustering` of single classes, where it differs. */
  readonly clusterings?: ReadonlyMap<number, ClusterParameters>;
  /** Boxes of different classes suppress each other. Default false. */
  readonly classAgnostic?: boolean;
}

const GRID = 32;
/** Below this many boxes of a class a plain loop is faster than the grid. */
const GRID_WORTH = 64;

/**
 * Greedy non-maximum suppression, per class, on continuous coordinates (no +1), best score first, equal scores in the
 * order they came. Works in buffers of its own, grown once: give each worker one.
 *
 * Ten thousand disjoint boxes would take fifty million comparisons. Two boxes with IoU > t need centres nearer than
 * `size * (1 - t) * max(1, 1 / 2t)` on each axis (the overlap cannot be wider than the narrower box, nor IoU greater
 * than overlap width / wider width), so kept boxes are binned by their centre and only bins in reach are compared:
 * the result is exactly that of the plain loop.
 */
export class Suppressor {
  #capacity = 0;
  #keys = new Float64Array(0);
  #byScore = new Int32Array(0);
  #byClass = new Int32Array(0);
  #classStart = new Int32Array(0);
  #cursor = new Int32Array(0);
  #alive = new Uint8Array(0);
  #kept = new Int32Array(0);
  readonly #bits = new Uint32Array(1);
  readonly #float = new Float32Array(this.#bits.buffer);
  readonly #gridHead = new Int32Array(GRID * GRID);
  #gridNext = new Int32Array(0);
  readonly #clusterer = new ClassClusterer();

  /**
   * @returns indexes into `candidates`, best first. A view into a buffer of this object, valid until the next call.
   */
  run(candidates: CandidateList, settings: SuppressionSettings): Int32Array {
    const count = candidates.count;
    this.#grow(count);
    this.#sort(candidates);
    if (settings.mode === 'none' && settings.topK === undefined && settings.topKs === undefined) {
      return this.#byScore.subarray(0, count);
    }
    this.#alive.fill(0, 0, count);
    const classes = this.#groupByClass(candidates, settings.classAgnostic === true);
    for (let c = 0; c < classes; c += 1) {
      const start = this.#classStart[c] as number;
      let end = this.#classStart[c + 1] as number;
      if (start === end) continue;
      if (settings.mode !== 'none' && settings.mode !== 'nms') end = this.#cluster(candidates, start, end, c, settings);
      const limit = settings.topKs?.get(c) ?? settings.topK ?? count;
      const threshold = (settings.classAgnostic ? undefined : settings.iouThresholds?.get(c)) ?? settings.iouThreshold;
      if (settings.mode !== 'nms' && settings.mode !== 'hybrid') this.#keepFirst(start, end, limit);
      else if (end - start < GRID_WORTH || threshold < 0.05) this.#plain(candidates, start, end, threshold, limit);
      else this.#binned(candidates, start, end, threshold, limit);
    }
    return this.#collect(count);
  }

  /**
   * Best score first. Score bits and index share one 53-bit number, so that the engine's native sort of a
   * `Float64Array` does it: a comparator costs eight times as much for 10,000 boxes.
   */
  #sort(candidates: CandidateList): void {
    const { count, score } = candidates;
    const keys = this.#keys;
    for (let i = 0; i < count; i += 1) {
      this.#float[0] = score[i] as number;
      const bits = this.#bits[0] as number;
      const ordered = bits & 0x80000000 ? ~bits >>> 0 : (bits | 0x80000000) >>> 0;
      keys[i] = ordered * 0x100000 + (0xfffff - i);
    }
    keys.subarray(0, count).sort();
    for (let i = 0; i < count; i += 1) this.#byScore[i] = 0xfffff - ((keys[count - 1 - i] as number) % 0x100000);
  }

  /** Counting sort by class that keeps the order of scores; returns the number of class slots. */
  #groupByClass({ count, classId }: CandidateList, agnostic: boolean): number {
    let classes = 1;
    if (!agnostic) for (let i = 0; i < count; i += 1) classes = Math.max(classes, (classId[i] as number) + 1);
    if (this.#classStart.length < classes + 1) {
      this.#classStart = new Int32Array(classes + 1);
      this.#cursor = new Int32Array(classes + 1);
    }
    const start = this.#classStart;
    const cursor = this.#cursor;
    start.fill(0, 0, classes + 1);
    if (agnostic) {
      start[1] = count;
      this.#byClass.set(this.#byScore.subarray(0, count));
      return 1;
    }
    for (let i = 0; i < count; i += 1)
      start[(classId[i] as number) + 1] = (start[(classId[i] as number) + 1] as number) + 1;
    for (let c = 0; c < classes; c += 1) start[c + 1] = (start[c + 1] as number) + (start[c] as number);
    cursor.set(start.subarray(0, classes + 1));
    for (let i = 0; i < count; i += 1) {
      const index = this.#byScore[i] as number;
      const c = classId[index] as number;
      const at = cursor[c] as number;
      this.#byClass[at] = index;
      cursor[c] = at + 1;
    }
    return classes;
  }

  /** Leaves what makes clusters at the front of a class; returns where that ends. */
  #cluster(
    candidates: CandidateList,
    start: number,
    end: number,
    classId: number,
    { mode, clustering, clusterings }: SuppressionSettings,
  ): number {
    const parameters = clusterings?.get(classId) ?? clustering;
    if (parameters === undefined) return end;
    const indexes = this.#byClass.subarray(start, end);
    if (mode === 'group-rectangles') return start + this.#clusterer.groupRectangles(candidates, indexes, parameters);
    return start + this.#clusterer.dbscan(candidates, indexes, parameters, mode === 'dbscan');
  }

  #keepFirst(start: number, end: number, limit: number): void {
    for (let i = start; i < Math.min(end, start + limit); i += 1) this.#alive[this.#byClass[i] as number] = 1;
  }

  #plain(candidates: CandidateList, start: number, end: number, threshold: number, limit: number): void {
    const kept = this.#kept;
    let keptCount = 0;
    for (let i = start; i < end && keptCount < limit; i += 1) {
      const index = this.#byClass[i] as number;
      let free = true;
      for (let k = 0; k < keptCount && free; k += 1) free = !overlaps(candidates, index, kept[k] as number, threshold);
      if (!free) continue;
      kept[keptCount] = index;
      keptCount += 1;
      this.#alive[index] = 1;
    }
  }

  #binned(candidates: CandidateList, start: number, end: number, threshold: number, limit: number): void {
    const { x1, y1, x2, y2 } = candidates;
    let left = Infinity;
    let top = Infinity;
    let right = -Infinity;
    let bottom = -Infinity;
    for (let i = start; i < end; i += 1) {
      const index = this.#byClass[i] as number;
      const x = (x1[index] as number) + (x2[index] as number);
      const y = (y1[index] as number) + (y2[index] as number);
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
    }
    // Twice the centre, to save a division per box.
    const perX = GRID / Math.max(right - left, 1e-6);
    const perY = GRID / Math.max(bottom - top, 1e-6);
    const reach = (1 - threshold) * Math.max(1, 0.5 / threshold) * 2;
    const head = this.#gridHead.fill(-1);
    const next = this.#gridNext;
    let keptCount = 0;
    for (let i = start; i < end && keptCount < limit; i += 1) {
      const index = this.#byClass[i] as number;
      const x = (x1[index] as number) + (x2[index] as number) - left;
      const y = (y1[index] as number) + (y2[index] as number) - top;
      const reachX = reach * ((x2[index] as number) - (x1[index] as number));
      const reachY = reach * ((y2[index] as number) - (y1[index] as number));
      const toX = binOf((x + reachX) * perX);
      const toY = binOf((y + reachY) * perY);
      let free = true;
      for (let by = binOf((y - reachY) * perY); by <= toY && free; by += 1) {
        for (let bx = binOf((x - reachX) * perX); bx <= toX && free; bx += 1) {
          for (let k = head[by * GRID + bx] as number; k >= 0 && free; k = next[k] as number) {
            free = !overlaps(candidates, index, k, threshold);
          }
        }
      }
      if (!free) continue;
      const bin = binOf(y * perY) * GRID + binOf(x * perX);
      next[index] = head[bin] as number;
      head[bin] = index;
      keptCount += 1;
      this.#alive[index] = 1;
    }
  }

  #collect(count: number): Int32Array {
    let keptCount = 0;
    for (let i = 0; i < count; i += 1) {
      const index = this.#byScore[i] as number;
      if (this.#alive[index] === 0) continue;
      this.#kept[keptCount] = index;
      keptCount += 1;
    }
    return this.#kept.subarray(0, keptCount);
  }

  #grow(count: number): void {
    if (count <= this.#capacity) return;
    this.#capacity = Math.max(256, 2 ** Math.ceil(Math.log2(count)));
    this.#keys = new Float64Array(this.#capacity);
    this.#byScore = new Int32Array(this.#capacity);
    this.#byClass = new Int32Array(this.#capacity);
    this.#alive = new Uint8Array(this.#capacity);
    this.#kept = new Int32Array(this.#capacity);
    this.#gridNext = new Int32Array(this.#capacity);
  }
}

function binOf(position: number): number {
  const bin = Math.floor(position);
  if (bin < 0) return 0;
  return bin >= GRID ? GRID - 1 : bin;
}

function overlaps({ x1, y1, x2, y2 }: CandidateList, a: number, b: number, threshold: number): boolean {
  const ax1 = x1[a] as number;
  const ay1 = y1[a] as number;
  const ax2 = x2[a] as number;
  const ay2 = y2[a] as number;
  const bx1 = x1[b] as number;
  const by1 = y1[b] as number;
  const bx2 = x2[b] as number;
  const by2 = y2[b] as number;
  const width = (ax2 < bx2 ? ax2 : bx2) - (ax1 > bx1 ? ax1 : bx1);
  if (width <= 0) return false;
  const height = (ay2 < by2 ? ay2 : by2) - (ay1 > by1 ? ay1 : by1);
  if (height <= 0) return false;
  const shared = width * height;
  return shared > threshold * ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared);
}
