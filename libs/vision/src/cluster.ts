import type { CandidateList } from './candidates.ts';

/** How boxes of one class make objects, besides suppression. */
export interface ClusterParameters {
  /** `eps`: greatest 1 - IoU of neighbours (DBSCAN), or how far edges of similar boxes may lie apart (OpenCV). */
  readonly eps: number;
  /** `minBoxes`: boxes in a dense region, itself included; 0 leaves the boxes as they are. */
  readonly minBoxes: number;
  /** `dbscan-min-score`: least sum of the scores of a cluster. */
  readonly minScore: number;
  /** `group-threshold`: groups of so many boxes or fewer are dropped; 0 leaves the boxes as they are. */
  readonly groupThreshold: number;
}

/**
 * Boxes of one class that are clustered; those with lower scores are dropped. Clustering is quadratic in a crowd, and
 * the grids of the detectors that are clustered have half as many cells.
 */
const MAX_CLUSTERED = 4096;
/** nvinfer's area-to-hit ratio: a cluster whose size in pixels is large for its few boxes is noise. */
const MAX_AREA_TO_HITS = 60;

/**
 * The clusterings of nvinfer that merge boxes. A merged box takes the place of the best candidate of its cluster, whose
 * score, class and points it keeps. One for each worker: works in buffers of its own.
 *
 * Neighbours are found by a sweep from left to right, so that boxes far apart are never compared.
 */
export class ClassClusterer {
  #parent = new Int32Array(0);
  #neighbours = new Int32Array(0);
  #sweep = new Int32Array(0);
  #order = new Float64Array(0);
  #weight = new Int32Array(0);
  #sum = new Float64Array(0);
  #edges: Edges = {
    x1: new Float32Array(0),
    y1: new Float32Array(0),
    x2: new Float32Array(0),
    y2: new Float32Array(0),
  };

  /**
   * DBSCAN on 1 - IoU. As nvinfer has it, only boxes with enough neighbours of their own belong to a cluster; the box
   * of a cluster is the mean of its boxes by score. Source: NVIDIA nvdsinferutils (`dbscan/NvDsInferDBScan.cpp`,
   * Apache-2.0, as published with isaac_ros_object_detection).
   *
   * @param indexes candidates of one class, best score first; those that are left are moved to its start
   * @param merge one box a cluster (`cluster-mode=1`); otherwise all its boxes, for suppression (`cluster-mode=3`)
   * @returns how many are left
   */
  dbscan(candidates: CandidateList, indexes: Int32Array, parameters: ClusterParameters, merge: boolean): number {
    if (parameters.minBoxes <= 0) return indexes.length;
    const count = Math.min(indexes.length, MAX_CLUSTERED);
    this.#prepare(candidates, indexes, count);
    const { minBoxes, eps } = parameters;
    const neighbours = this.#neighbours.fill(1, 0, count);
    const sweep = this.#sweep;
    // The distance of boxes apart is 1.
    const right = eps > 1 ? this.#edges.x1.subarray(count - 1, count) : undefined;
    for (let i = 0; i < count; i += 1) {
      const a = sweep[i] as number;
      const end = right === undefined ? (this.#edges.x2[i] as number) : (right[0] as number);
      for (let j = i + 1; j < count && (this.#edges.x1[j] as number) <= end; j += 1) {
        const b = sweep[j] as number;
        const settled = (neighbours[a] as number) >= minBoxes && (neighbours[b] as number) >= minBoxes;
        if (settled || !(distance(this.#edges, i, j) < eps)) continue;
        neighbours[a] = (neighbours[a] as number) + 1;
        neighbours[b] = (neighbours[b] as number) + 1;
      }
    }
    const isCore = (position: number): boolean => (neighbours[position] as number) >= minBoxes;
    if (!merge) {
      let left = 0;
      for (let i = 0; i < count; i += 1) if (isCore(i)) indexes[left++] = indexes[i] as number;
      return left;
    }
    const parent = this.#parent;
    for (let i = 0; i < count; i += 1) {
      const a = sweep[i] as number;
      if (!isCore(a)) continue;
      const end = right === undefined ? (this.#edges.x2[i] as number) : (right[0] as number);
      for (let j = i + 1; j < count && (this.#edges.x1[j] as number) <= end; j += 1) {
        const b = sweep[j] as number;
        if (parent[a] === parent[b] || (neighbours[b] as number) < minBoxes) continue;
        if (distance(this.#edges, i, j) < eps) this.#join(a, b);
      }
    }
    return this.#mergeByScore(candidates, indexes, count, isCore, parameters.minScore);
  }

  /**
   * Groups of similar boxes, as OpenCV's `groupRectangles` (modules/objdetect/src/cascadedetect.cpp): transitive,
   * the box of a group is the plain mean, groups inside a larger one go. Coordinates stay fractions of pixels, and the
   * score is the best of the group, where nvinfer gives -0.1.
   */
  groupRectangles(candidates: CandidateList, indexes: Int32Array, { eps, groupThreshold }: ClusterParameters): number {
    if (groupThreshold <= 0) return indexes.length;
    const count = Math.min(indexes.length, MAX_CLUSTERED);
    this.#prepare(candidates, indexes, count);
    const { x1, y1, x2, y2 } = this.#edges;
    const sweep = this.#sweep;
    const parent = this.#parent;
    for (let i = 0; i < count; i += 1) {
      const a = sweep[i] as number;
      const size = (x2[i] as number) - (x1[i] as number) + (y2[i] as number) - (y1[i] as number);
      // No partner's tolerance is greater than that of the box with itself.
      const end = (x1[i] as number) + (eps * size) / 2;
      for (let j = i + 1; j < count && (x1[j] as number) <= end; j += 1) {
        const b = sweep[j] as number;
        if (parent[a] !== parent[b] && similar(this.#edges, i, j, eps)) this.#join(a, b);
      }
    }

    const weight = this.#weight.fill(0, 0, count);
    const sum = this.#sum.fill(0, 0, count * 4);
    for (let i = 0; i < count; i += 1) {
      const root = this.#find(i);
      weight[root] = (weight[root] as number) + 1;
      this.#add(candidates, indexes[i] as number, root, 1);
    }
    const groups: number[] = [];
    for (let i = 0; i < count; i += 1) {
      if (this.#find(i) !== i || (weight[i] as number) <= groupThreshold) continue;
      for (let k = 0; k < 4; k += 1) sum[i * 4 + k] = (sum[i * 4 + k] as number) / (weight[i] as number);
      groups.push(i);
    }
    let left = 0;
    for (const group of groups) {
      if (groups.some((other) => other !== group && this.#swallows(other, group, eps))) continue;
      const index = indexes[group] as number;
      this.#replace(candidates, index, group, 1);
      indexes[left++] = index;
    }
    return left;
  }

  /** Roots are the lowest position, so the best score: positions are in the order of scores. */
  #join(a: number, b: number): void {
    const rootA = this.#find(a);
    const rootB = this.#find(b);
    if (rootA < rootB) this.#parent[rootB] = rootA;
    else this.#parent[rootA] = rootB;
  }

  #find(position: number): number {
    const parent = this.#parent;
    let root = position;
    while (parent[root] !== root) root = parent[root] as number;
    for (let at = position; at !== root;) {
      const next = parent[at] as number;
      parent[at] = root;
      at = next;
    }
    return root;
  }

  #mergeByScore(
    candidates: CandidateList,
    indexes: Int32Array,
    count: number,
    isCore: (position: number) => boolean,
    minScore: number,
  ): number {
    const weight = this.#weight.fill(0, 0, count);
    this.#sum.fill(0, 0, count * 4);
    const scores = this.#order.fill(0, 0, count);
    for (let i = 0; i < count; i += 1) {
      if (!isCore(i)) continue;
      const root = this.#find(i);
      const score = candidates.score[indexes[i] as number] as number;
      weight[root] = (weight[root] as number) + 1;
      scores[root] = (scores[root] as number) + score;
      this.#add(candidates, indexes[i] as number, root, score);
    }
    let left = 0;
    for (let i = 0; i < count; i += 1) {
      const total = scores[i] as number;
      if ((weight[i] as number) === 0 || total < minScore || total <= 0) continue;
      const sum = this.#sum;
      const width = ((sum[i * 4 + 2] as number) - (sum[i * 4] as number)) / total;
      const height = ((sum[i * 4 + 3] as number) - (sum[i * 4 + 1] as number)) / total;
      // The reference counts from one, so that a lone box has two hits.
      if (Math.sqrt(width * height) / ((weight[i] as number) + 1) > MAX_AREA_TO_HITS) continue;
      const index = indexes[i] as number;
      this.#replace(candidates, index, i, total);
      indexes[left++] = index;
    }
    return left;
  }

  #add(candidates: CandidateList, index: number, root: number, weight: number): void {
    const sum = this.#sum;
    const at = root * 4;
    sum[at] = (sum[at] as number) + weight * (candidates.x1[index] as number);
    sum[at + 1] = (sum[at + 1] as number) + weight * (candidates.y1[index] as number);
    sum[at + 2] = (sum[at + 2] as number) + weight * (candidates.x2[index] as number);
    sum[at + 3] = (sum[at + 3] as number) + weight * (candidates.y2[index] as number);
  }

  #replace(candidates: CandidateList, index: number, root: number, total: number): void {
    const at = root * 4;
    candidates.x1[index] = (this.#sum[at] as number) / total;
    candidates.y1[index] = (this.#sum[at + 1] as number) / total;
    candidates.x2[index] = (this.#sum[at + 2] as number) / total;
    candidates.y2[index] = (this.#sum[at + 3] as number) / total;
  }

  /** Whether group `inner` lies inside of `outer`, which has clearly more boxes. */
  #swallows(outer: number, inner: number, eps: number): boolean {
    const boxes = this.#weight[outer] as number;
    const own = this.#weight[inner] as number;
    if (!(boxes > Math.max(3, own) || own < 3)) return false;
    const sum = this.#sum;
    const [o, i] = [outer * 4, inner * 4];
    const dx = ((sum[o + 2] as number) - (sum[o] as number)) * eps;
    const dy = ((sum[o + 3] as number) - (sum[o + 1] as number)) * eps;
    return (
      (sum[i] as number) >= (sum[o] as number) - dx &&
      (sum[i + 1] as number) >= (sum[o + 1] as number) - dy &&
      (sum[i + 2] as number) <= (sum[o + 2] as number) + dx &&
      (sum[i + 3] as number) <= (sum[o + 3] as number) + dy
    );
  }

  /** Every position a group of its own; `#sweep` holds the positions from left to right, `#edges` their boxes. */
  #prepare({ x1, y1, x2, y2 }: CandidateList, indexes: Int32Array, count: number): void {
    if (this.#parent.length < count) {
      this.#parent = new Int32Array(count);
      this.#neighbours = new Int32Array(count);
      this.#sweep = new Int32Array(count);
      this.#order = new Float64Array(count);
      this.#weight = new Int32Array(count);
      this.#sum = new Float64Array(count * 4);
      const edges = (): Float32Array => new Float32Array(count);
      this.#edges = { x1: edges(), y1: edges(), x2: edges(), y2: edges() };
    }
    for (let i = 0; i < count; i += 1) {
      this.#parent[i] = i;
      this.#sweep[i] = i;
    }
    this.#sweep
      .subarray(0, count)
      .sort((a, b) => (x1[indexes[a] as number] as number) - (x1[indexes[b] as number] as number) || a - b);
    for (let i = 0; i < count; i += 1) {
      const index = indexes[this.#sweep[i] as number] as number;
      this.#edges.x1[i] = x1[index] as number;
      this.#edges.y1[i] = y1[index] as number;
      this.#edges.x2[i] = x2[index] as number;
      this.#edges.y2[i] = y2[index] as number;
    }
  }
}

/** Boxes in the order of the sweep: read one after the other, millions of times in a crowd. */
interface Edges {
  readonly x1: Float32Array;
  readonly y1: Float32Array;
  readonly x2: Float32Array;
  readonly y2: Float32Array;
}

function distance({ x1, y1, x2, y2 }: Edges, a: number, b: number): number {
  const width = Math.min(x2[a] as number, x2[b] as number) - Math.max(x1[a] as number, x1[b] as number);
  const height = Math.min(y2[a] as number, y2[b] as number) - Math.max(y1[a] as number, y1[b] as number);
  if (!(width > 0 && height > 0)) return 1;
  const shared = width * height;
  const areaA = ((x2[a] as number) - (x1[a] as number)) * ((y2[a] as number) - (y1[a] as number));
  const areaB = ((x2[b] as number) - (x1[b] as number)) * ((y2[b] as number) - (y1[b] as number));
  return 1 - shared / (areaA + areaB - shared);
}

/** OpenCV's `SimilarRects`. */
function similar({ x1, y1, x2, y2 }: Edges, a: number, b: number, eps: number): boolean {
  const width = Math.min((x2[a] as number) - (x1[a] as number), (x2[b] as number) - (x1[b] as number));
  const height = Math.min((y2[a] as number) - (y1[a] as number), (y2[b] as number) - (y1[b] as number));
  const delta = (eps * (width + height)) / 2;
  return (
    Math.abs((x1[a] as number) - (x1[b] as number)) <= delta &&
    Math.abs((y1[a] as number) - (y1[b] as number)) <= delta &&
    Math.abs((x2[a] as number) - (x2[b] as number)) <= delta &&
    Math.abs((y2[a] as number) - (y2[b] as number)) <= delta
  );
}
