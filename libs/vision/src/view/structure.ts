import type { Thumbnail } from './thumbnail.ts';

const { abs, floor, max, min } = Math;

/** Grey levels between neighbouring cells: a step this large counts half. Keeps one hard shadow from outweighing the rest. */
const HALF = 8;
/** Grey levels from which a cell has structure. */
const STRUCTURED = 6;

/** Light steps between the cells of a grid, across then down, each pressed into -1..1. */
export function stepsOf({ columns, rows }: Pick<Thumbnail, 'columns' | 'rows'>, grey: Float32Array): Float32Array {
  const steps = new Float32Array(2 * grey.length);
  for (let row = 0, at = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1, at += 1) {
      const here = grey[at] as number;
      if (column + 1 < columns) steps[2 * at] = pressed((grey[at + 1] as number) - here);
      if (row + 1 < rows) steps[2 * at + 1] = pressed((grey[at + columns] as number) - here);
    }
  }
  return steps;
}

function pressed(difference: number): number {
  return difference / (abs(difference) + HALF);
}

/** -1 to 1: how alike two fields are whose mean is near 0; NaN where one of them is flat. */
export function likeness(a: Float32Array, b: Float32Array): number {
  let shared = 0;
  let own = 0;
  let other = 0;
  for (let i = 0; i < a.length; i += 1) {
    const x = a[i] as number;
    const y = b[i] as number;
    shared += x * y;
    own += x * x;
    other += y * y;
  }
  return own > 0 && other > 0 ? shared / Math.sqrt(own * other) : Number.NaN;
}

/** Mean light of blocks of 6 x 6 cells, about the mean of all: what blur leaves and a cover takes. */
export function broadLight({ columns, rows }: Pick<Thumbnail, 'columns' | 'rows'>, grey: Float32Array): Float32Array {
  const across = max(1, Math.round(columns / 6));
  const down = max(1, Math.round(rows / 6));
  const sums = new Float32Array(across * down);
  const counts = new Float32Array(across * down);
  let total = 0;
  for (let at = 0; at < grey.length; at += 1) {
    const block = floor((floor(at / columns) * down) / rows) * across + floor(((at % columns) * across) / columns);
    sums[block] = (sums[block] as number) + (grey[at] as number);
    counts[block] = (counts[block] as number) + 1;
    total += grey[at] as number;
  }
  const mean = total / grey.length;
  return sums.map((sum, block) => sum / max(1, counts[block] as number) - mean);
}

/** Of the cells that have structure in `before`, the part that has (almost) none now. NaN where there are too few. */
export function lostStructure(before: Float32Array, now: Float32Array): number {
  const limit = STRUCTURED / (STRUCTURED + HALF);
  let structured = 0;
  let lost = 0;
  for (let at = 0; at < before.length; at += 1) {
    const was = abs(before[at] as number);
    if (was < limit) continue;
    structured += 1;
    if (abs(now[at] as number) < 0.4 * was) lost += 1;
  }
  return structured < 8 ? Number.NaN : lost / structured;
}

/** Part of the steps between cells that are large. */
export function structuredPart(steps: Float32Array): number {
  const limit = STRUCTURED / (STRUCTURED + HALF);
  let structured = 0;
  for (const step of steps) if (abs(step) >= limit) structured += 1;
  return structured / steps.length;
}

/** Cells in each direction that a moved view is looked for in: an eighth of the picture. */
const REACH = 6;

/**
 * About the best likeness that two fields of steps have when one of them is shifted by a cell or more. The overlap is
 * taken to be as rich as the whole: three times as fast.
 */
export function likenessShifted(
  { columns, rows }: Pick<Thumbnail, 'columns' | 'rows'>,
  usual: Float32Array,
  now: Float32Array,
): number {
  const energy = Math.sqrt(energyOf(usual) * energyOf(now));
  let best = Number.NEGATIVE_INFINITY;
  for (let dy = -REACH; dy <= REACH; dy += 1) {
    for (let dx = -REACH; dx <= REACH; dx += 1) {
      if (dx === 0 && dy === 0) continue;
      let shared = 0;
      for (let row = max(0, -dy); row < min(rows, rows - dy); row += 1) {
        const from = 2 * (row * columns + max(0, -dx));
        const to = 2 * (row * columns + min(columns, columns - dx));
        const offset = 2 * (dy * columns + dx);
        for (let at = from; at < to; at += 1) shared += (usual[at] as number) * (now[at + offset] as number);
      }
      const overlap = ((columns - abs(dx)) * (rows - abs(dy))) / (columns * rows);
      if (overlap > 0.25) best = max(best, shared / overlap);
    }
  }
  return energy > 0 ? best / energy : 0;
}

function energyOf(steps: Float32Array): number {
  let sum = 0;
  for (const step of steps) sum += step * step;
  return sum;
}
