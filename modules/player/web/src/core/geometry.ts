import { pointInPolygon, polygonArea, selfIntersection } from '@vantage/vision';

/** A point as fractions 0..1 of the picture, origin top left. */
export type Point = readonly [x: number, y: number];

/** Radii in which a click takes hold of a point or an edge, as fractions of the picture (contract F). */
export const PICK_POINT = 0.025;
export const PICK_EDGE = 0.05;
/** A dragged point that comes this near to the frame's border lies on it. */
export const SNAP = 0.015;

/** Fewer digits than a camera has pixels are enough, and a twin stays readable. */
const DIGITS = 1e4;

export function clampPoint([x, y]: Point): Point {
  return [clamp(x), clamp(y)];
}

/** The point inside the frame, on its border when it is nearly there, with four digits. */
export function settle(point: Point, snap: boolean): Point {
  const [x, y] = clampPoint(point);
  return snap ? [round(snapPart(x)), round(snapPart(y))] : [round(x), round(y)];
}

export function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

export function middle(a: Point, b: Point): Point {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** Distance of a point from the stretch between two others. */
export function distanceToEdge(point: Point, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const square = dx * dx + dy * dy;
  const along = square === 0 ? 0 : ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / square;
  const at = Math.min(1, Math.max(0, along));
  return Math.hypot(point[0] - a[0] - at * dx, point[1] - a[1] - at * dy);
}

export function holds(polygon: readonly Point[], [x, y]: Point): boolean {
  return polygon.length >= 3 && pointInPolygon(x, y, polygon) !== 'outside';
}

/** Moves points together, as far as all of them stay inside the frame. */
export function moveTogether(points: readonly Point[], dx: number, dy: number): Point[] {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const right = limit(dx, -Math.min(...xs), 1 - Math.max(...xs));
  const down = limit(dy, -Math.min(...ys), 1 - Math.max(...ys));
  return points.map(([x, y]): Point => [round(clamp(x + right)), round(clamp(y + down))]);
}

/** Why a polygon or a line cannot be saved, as a sentence; undefined for one that can. */
export function faultOf(kind: 'polygon' | 'line', points: readonly Point[]): string | undefined {
  const outside = points.findIndex((point) => point.some((part) => !(part >= 0 && part <= 1)));
  if (outside !== -1) return `Point ${outside + 1} lies outside the picture. Drag it back in.`;
  if (kind === 'line') {
    if (points.length !== 2) return `A line needs 2 points, this has ${points.length}.`;
    const [a, b] = points;
    return a && b && distance(a, b) < 1e-3 ? 'Both ends of the line are at the same place.' : undefined;
  }
  if (points.length < 3) return `A region needs at least 3 points, this has ${points.length}.`;
  const crossing = selfIntersection(points);
  if (crossing) {
    const [first, second] = crossing.map((edge) => `${edge + 1}–${((edge + 1) % points.length) + 1}`);
    return `The edges ${first} and ${second} cross. Drag a point so that the outline does not cut itself.`;
  }
  return polygonArea(points) < 1e-6 ? 'The points lie on one line, so nothing would ever be inside.' : undefined;
}

function clamp(part: number): number {
  return Math.min(1, Math.max(0, part));
}

function limit(value: number, low: number, high: number): number {
  // A shape that already reaches over a border may only come back.
  return Math.min(Math.max(value, Math.min(low, 0)), Math.max(high, 0));
}

function snapPart(part: number): number {
  if (part < SNAP) return 0;
  return part > 1 - SNAP ? 1 : part;
}

function round(part: number): number {
  return Math.round(part * DIGITS) / DIGITS;
}
