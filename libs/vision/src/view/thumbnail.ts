const { abs, floor, min } = Math;

/** Cells of the longer side. Fine enough to tell a shift by a fiftieth of the picture, coarse enough to cost nothing. */
const CELLS = 48;
/** Samples in each direction and cell: more say no more about a cell's light and texture. */
const SAMPLES = 4;
/** Grey levels between two samples four pixels apart that make an edge. Noise of a camera at night stays below. */
const EDGE = 24;
const REACH = 4;

/**
 * A picture as camera health sees it: cells of a coarse grid, row by row, and how steep its edges are at full resolution.
 * Made of one plane of the network's picture.
 */
export interface Thumbnail {
  readonly columns: number;
  readonly rows: number;
  /** Mean grey of each cell, 0 to 255. */
  readonly grey: Float32Array;
  /** Mean difference between neighbouring pixels of each cell: what a lens cover takes away. */
  readonly texture: Float32Array;
  /** Part of the samples that lie on an edge. */
  readonly edges: number;
  /**
   * How much of an edge's height lies between two neighbouring pixels: 1 where a pixel separates light and dark, 1/4
   * where light fades over more than four pixels. NaN without edges.
   */
  readonly steepness: number;
}

/**
 * Looks at a picture, on the caller's thread, in about a quarter of a millisecond for any size.
 *
 * @param plane 8-bit grey (or green, which is near to it), `width * height` bytes without padding; only read
 */
export function thumbnailOf(plane: Uint8Array, width: number, height: number): Thumbnail {
  const longer = Math.max(width, height);
  const columns = Math.max(1, Math.round((CELLS * width) / longer));
  const rows = Math.max(1, Math.round((CELLS * height) / longer));
  const grey = new Float32Array(columns * rows);
  const texture = new Float32Array(columns * rows);
  const stepX = width / (columns * SAMPLES);
  const stepY = height / (rows * SAMPLES);
  const lastX = Math.max(0, width - 1 - REACH);
  const lastY = Math.max(0, height - 1 - REACH);
  const reachX = min(REACH, width - 1);
  const reachY = min(REACH, height - 1) * width;
  let edges = 0;
  let steep = 0;
  for (let row = 0, cell = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1, cell += 1) {
      let sum = 0;
      let rough = 0;
      for (let v = 0; v < SAMPLES; v += 1) {
        const y = min(lastY, floor((row * SAMPLES + v + 0.5) * stepY));
        for (let u = 0; u < SAMPLES; u += 1) {
          const at = y * width + min(lastX, floor((column * SAMPLES + u + 0.5) * stepX));
          const here = plane[at] as number;
          sum += here;
          rough += abs((plane[at + min(1, reachX)] as number) - here);
          const across = abs((plane[at + reachX] as number) - here);
          const down = abs((plane[at + reachY] as number) - here);
          if (across < EDGE && down < EDGE) continue;
          edges += 1;
          steep += across >= down ? steepestStep(plane, at, 1) / across : steepestStep(plane, at, width) / down;
        }
      }
      grey[cell] = sum / (SAMPLES * SAMPLES);
      texture[cell] = rough / (SAMPLES * SAMPLES);
    }
  }
  return {
    columns,
    rows,
    grey,
    texture,
    edges: edges / (grey.length * SAMPLES * SAMPLES),
    steepness: edges === 0 ? Number.NaN : min(1, steep / edges),
  };
}

function steepestStep(plane: Uint8Array, from: number, step: number): number {
  let most = 0;
  for (let k = 0, at = from; k < REACH; k += 1, at += step) {
    const difference = abs((plane[at + step] as number) - (plane[at] as number));
    if (difference > most) most = difference;
  }
  return most;
}
