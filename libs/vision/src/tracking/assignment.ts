/**
 * Pairs rows and columns so that the sum of their similarity is greatest. Pairs below `least` do not exist, so the
 * problem falls apart into small groups of objects that overlap each other: each group is solved by itself.
 *
 * @param similarity row-major, `rows * columns`
 * @returns the column of each row, or -1
 */
export function assign(similarity: Float64Array, rows: number, columns: number, least: number): Int32Array {
  const columnOf = new Int32Array(rows).fill(-1);
  for (const group of groupsOf(similarity, rows, columns, least))
    solveGroup(similarity, columns, least, group, columnOf);
  return columnOf;
}

interface Group {
  readonly rows: number[];
  readonly columns: number[];
}

/** Connected components of the graph of possible pairs, rows in ascending order. */
function groupsOf(similarity: Float64Array, rows: number, columns: number, least: number): Group[] {
  const groups: Group[] = [];
  const rowSeen = new Uint8Array(rows);
  const columnSeen = new Uint8Array(columns);
  for (let start = 0; start < rows; start += 1) {
    if (rowSeen[start] === 1) continue;
    rowSeen[start] = 1;
    const group: Group = { rows: [start], columns: [] };
    // The lists grow while they are walked.
    for (let r = 0, c = 0; r < group.rows.length || c < group.columns.length;) {
      if (r < group.rows.length) {
        const row = group.rows[r] as number;
        r += 1;
        for (let column = 0; column < columns; column += 1) {
          if (columnSeen[column] === 1 || !((similarity[row * columns + column] as number) >= least)) continue;
          columnSeen[column] = 1;
          group.columns.push(column);
        }
      } else {
        const column = group.columns[c] as number;
        c += 1;
        for (let row = 0; row < rows; row += 1) {
          if (rowSeen[row] === 1 || !((similarity[row * columns + column] as number) >= least)) continue;
          rowSeen[row] = 1;
          group.rows.push(row);
        }
      }
    }
    if (group.columns.length > 0) groups.push(group);
  }
  return groups;
}

function solveGroup(
  similarity: Float64Array,
  columns: number,
  least: number,
  group: Group,
  columnOf: Int32Array,
): void {
  const [onlyRow] = group.rows;
  const [onlyColumn] = group.columns;
  if (group.rows.length === 1 && group.columns.length === 1 && onlyRow !== undefined && onlyColumn !== undefined) {
    columnOf[onlyRow] = onlyColumn;
    return;
  }
  const size = Math.max(group.rows.length, group.columns.length);
  const cost = new Float64Array(size * size);
  group.rows.forEach((row, r) => {
    group.columns.forEach((column, c) => {
      const value = similarity[row * columns + column] as number;
      if (value >= least) cost[r * size + c] = -value;
    });
  });
  hungarian(cost, size).forEach((c, r) => {
    const row = group.rows[r];
    const column = group.columns[c];
    if (row === undefined || column === undefined) return;
    if ((similarity[row * columns + column] as number) >= least) columnOf[row] = column;
  });
}

/**
 * Minimum-cost assignment of a square matrix in O(n^3).
 *
 * Source: the shortest augmenting path form of the Hungarian algorithm (Kuhn 1955, Jonker and Volgenant 1987) with row
 * and column potentials.
 */
function hungarian(cost: Float64Array, size: number): Int32Array {
  const rowPotential = new Float64Array(size + 1);
  const columnPotential = new Float64Array(size + 1);
  // Position 0 is the free column that each search starts from; rows and columns count from 1.
  const rowOf = new Int32Array(size + 1);
  const cameFrom = new Int32Array(size + 1);
  const shortest = new Float64Array(size + 1);
  const done = new Uint8Array(size + 1);
  for (let row = 1; row <= size; row += 1) {
    rowOf[0] = row;
    shortest.fill(Infinity);
    done.fill(0);
    let column = 0;
    do {
      done[column] = 1;
      const current = rowOf[column] as number;
      let step = Infinity;
      let next = 0;
      for (let c = 1; c <= size; c += 1) {
        if (done[c] === 1) continue;
        const reduced =
          (cost[(current - 1) * size + c - 1] as number) -
          (rowPotential[current] as number) -
          (columnPotential[c] as number);
        if (reduced < (shortest[c] as number)) {
          shortest[c] = reduced;
          cameFrom[c] = column;
        }
        if ((shortest[c] as number) < step) {
          step = shortest[c] as number;
          next = c;
        }
      }
      for (let c = 0; c <= size; c += 1) {
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
  const columnOf = new Int32Array(size);
  for (let c = 1; c <= size; c += 1) columnOf[(rowOf[c] as number) - 1] = c - 1;
  return columnOf;
}
