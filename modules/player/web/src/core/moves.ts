import { moveTogether, settle, type Point } from './geometry.ts';

/** What a drag or an arrow key takes hold of. */
export type Mode = 'point' | 'edge' | 'shape';
export const MODES: readonly Mode[] = ['point', 'edge', 'shape'];

/** Points of a shape with one of them, the two ends of an edge, or (part -1, mode `shape`) all moved; never out of the frame. */
export function shifted(points: readonly Point[], mode: Mode, part: number, dx: number, dy: number): readonly Point[] {
  if (mode === 'shape' || part < 0) return moveTogether(points, dx, dy);
  const indexes = mode === 'edge' ? [part, (part + 1) % points.length] : [part];
  const ends = indexes.flatMap((index) => (points[index] ? [points[index]] : []));
  const moved = moveTogether(ends, dx, dy);
  return points.map((point, index) => moved[indexes.indexOf(index)] ?? point);
}

/** A shape's points that were taken hold of at one place and dragged to another. */
export interface Drag {
  readonly from: Point;
  readonly points: readonly Point[];
  readonly part: number;
}

export function dragged({ from, points, part }: Drag, mode: Mode, to: Point, snap: boolean): readonly Point[] {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const point = points[part];
  if (mode !== 'point' || !point) return shifted(points, mode, part, dx, dy);
  return points.with(part, settle([point[0] + dx, point[1] + dy], snap));
}
