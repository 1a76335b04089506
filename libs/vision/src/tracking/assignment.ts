import type { PairList } from './pairs.ts';

/** Steps of the exact solution that one group may cost (about 50 ms); a larger one is solved greedily. */
const MAX_STEPS = 2e7;

/**
 * Pairs rows and columns so that the sum of the scores is greatest. Only the pairs of the list exist, so the problem
 * falls apart into small groups of objects that compete with each other: each is solved by itself, exactly. A group so
 * large that this would hold up the camera (hundreds of boxes on top of each other) takes its best pair first, then the
 * best of the rest.
 *
 * @param pairs each at most once, scores above 0
 * @returns the column of each row, or -1
 */
export function assign(pairs: PairList, rows: number, columns: number): Int32Array {
  const columnOf = new Int32Array(rows).fill(-1);
  const { order, starts } = groupsOf(pairs, rows, columns);
  const solver = new GroupSolver(pairs, rows, columns, columnOf);
  for (let group = 0; group + 1 < starts.length; group += 1) {
    solver.solve(order.subarray(starts[group] ?? 0, starts[group + 1] ?? 0));
  }
  return columnOf;
}

/** Pair numbers by group (`order`), and where in it each group starts; groups in the order of their first pair. */
function groupsOf(pairs: PairList, rows: number, columns: number): { order: Int32Array; starts: number[] } {
  const parent = Int32Array.from({ length: rows + columns }, (_, node) => node);
  const find = (start: number): number => {
    let node = start;
    while (parent[node] !== node) {
      const above = parent[node] as number;
      parent[node] = parent[above] as number;
      node = above;
    }
    return node;
  };
  for (let pair = 0; pair < pairs.length; pair += 1) {
    const row = find(pairs.rows[pair] as number);
    const column = find(rows + (pairs.columns[pair] as number));
    if (row !== column) parent[column] = row;
  }
  const sizes = new Int32Array(rows + columns);
  for (let pair = 0; pair < pairs.length; pair += 1) {
    const root = find(pairs.rows[pair] as number);
    sizes[root] = (sizes[root] as number) + 1;
  }
  const next = new Int32Array(rows + columns).fill(-1);
  const starts: number[] = [];
  const order = new Int32Array(pairs.length);
  let used = 0;
  for (let pair = 0; pair < pairs.length; pair += 1) {
    const root = find(pairs.rows[pair] as number);
    if (next[root] === -1) {
      starts.push(used);
      next[root] = used;
      used += sizes[root] as number;
    }
    order[next[root] as number] = pair;
    next[root] = (next[root] as number) + 1;
  }
  starts.push(used);
  return { order, starts };
}

class GroupSolver {
  readonly #pairs: PairList;
  readonly #columnOf: Int32Array;
  /** Place of a row or column in the group that is solved. */
  readonly #rowAt: Int32Array;
  readonly #columnAt: Int32Array;

  constructor(pairs: PairList, rows: number, columns: number, columnOf: Int32Array) {
    this.#pairs = pairs;
    this.#columnOf = columnOf;
    this.#rowAt = new Int32Array(rows).fill(-1);
    this.#columnAt = new Int32Array(columns).fill(-1);
  }

  solve(group: Int32Array): void {
    const { rows, columns } = this.#pairs;
    if (group.length === 1) {
      const pair = group[0] as number;
      this.#columnOf[rows[pair] as number] = columns[pair] as number;
      return;
    }
    const own: { rows: number[]; columns: number[] } = { rows: [], columns: [] };
    for (const pair of group) {
      place(rows[pair] as number, this.#rowAt, own.rows);
      place(columns[pair] as number, this.#columnAt, own.columns);
    }
    const small = Math.min(own.rows.length, own.columns.length);
    const large = Math.max(own.rows.length, own.columns.length);
    if (small * small * large > MAX_STEPS) this.#greedy(group);
    else this.#exact(group, own.rows, own.columns);
  }

  #exact(group: Int32Array, ownRows: readonly number[], ownColumns: readonly number[]): void {
    const { rows, columns, scores } = this.#pairs;
    // The solution walks over the shorter side: a matrix with more rows than columns lies on its side.
    const upright = ownRows.length <= ownColumns.length;
    const [short, long] = upright ? [ownRows, ownColumns] : [ownColumns, ownRows];
    const score = new Float64Array(short.length * long.length);
    for (const pair of group) {
      const row = this.#rowAt[rows[pair] as number] as number;
      const column = this.#columnAt[columns[pair] as number] as number;
      score[upright ? row * long.length + column : column * long.length + row] = scores[pair] as number;
    }
    bestMatching(score, short.length, long.length).forEach((partner, at) => {
      // A pair that does not exist counts as 0: it is taken where a row would find nobody.
      if (!((score[at * long.length + partner] as number) > 0)) return;
      const row = upright ? short[at] : long[partner];
      const column = upright ? long[partner] : short[at];
      if (row !== undefined && column !== undefined) this.#columnOf[row] = column;
    });
  }

  #greedy(group: Int32Array): void {
    const { rows, columns, scores } = this.#pairs;
    const taken = new Set<number>();
    const best = [...group].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
    for (const pair of best) {
      const row = rows[pair] as number;
      const column = columns[pair] as number;
      if (this.#columnOf[row] !== -1 || taken.has(column)) continue;
      this.#columnOf[row] = column;
      taken.add(column);
    }
  }
}

function place(item: number, places: Int32Array, own: number[]): void {
  if (places[item] !== -1) return;
  places[item] = own.length;
  own.push(item);
}

/**
 * Partner of each row in the matching with the greatest sum, `rows <= columns`, in O(rows^2 * columns).
 *
 * Source: the shortest augmenting path form of the Hungarian algorithm (Kuhn 1955, Jonker and Volgenant 1987) with row
 * and column potentials.
 */
function bestMatching(score: Float64Array, rows: number, columns: number): Int32Array {
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  // Position 0 is the free column that each search starts from; rows and columns count from 1.
  const rowOf = new Int32Array(columns + 1);
  const cameFrom = new Int32Array(columns + 1);
  const shortest = new Float64Array(columns + 1);
  const done = new Uint8Array(columns + 1);
  for (let row = 1; row <= rows; row += 1) {
    rowOf[0] = row;
    shortest.fill(Infinity);
    done.fill(0);
    let column = 0;
    do {
      done[column] = 1;
      const current = rowOf[column] as number;
      const offset = (current - 1) * columns - 1;
      const potential = rowPotential[current] as number;
      let step = Infinity;
      let next = 0;
      for (let c = 1; c <= columns; c += 1) {
        if (done[c] === 1) continue;
        const reduced = -(score[offset + c] as number) - potential - (columnPotential[c] as number);
        if (reduced < (shortest[c] as number)) {
          shortest[c] = reduced;
          cameFrom[c] = column;
        }
        if ((shortest[c] as number) < step) {
          step = shortest[c] as number;
          next = c;
        }
      }
      for (let c = 0; c <= columns; c += 1) {
        if (done[c] === 1) {
          const owner = rowOf[c] as number;
          rowPotential[owner] = (rowPotential[owner] as number) + step;
          columnPotential[c] = (columnPotential[c] as number) - step;
        } else shortest[c] = (shortest[c] as number) - step;
      }
      column = next;
    } while (rowOf[column] !== 0);
    while (column !== 0) {
      const before = cameFrom[column] as number;
      rowOf[column] = rowOf[before] as number;
      column = before;
    }
  }
  const partnerOf = new Int32Array(rows);
  for (let c = 1; c <= columns; c += 1) {
    const row = rowOf[c] as number;
    if (row > 0) partnerOf[row - 1] = c - 1;
  }
  return partnerOf;
}
