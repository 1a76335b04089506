import type { RegionOfInterest } from '@vantage/contracts';
import { distance, distanceToEdge, faultOf, holds, PICK_EDGE, PICK_POINT, type Point } from './geometry.ts';

export type ShapeKind = 'polygon' | 'line';

/** What is drawn on a camera's picture: a region of the twin, or the line of a skill's rule. */
export interface Shape {
  readonly id: number;
  readonly kind: ShapeKind;
  readonly label: string;
  /** `#rrggbb` */
  readonly color: string;
  readonly points: readonly Point[];
  /** Of a line: where its rule stands in the twin. */
  readonly rule?: LineRule;
}

/** The node of a skill that a line belongs to. */
export interface LineRule {
  readonly skill: string;
  /** Missing while the line is new and the node is not there yet. */
  readonly node?: string;
  readonly direction: string;
}

/** A region of interest as the server gives it and takes it. */
export interface Region {
  readonly label: string;
  readonly color: string;
  readonly coordinates: readonly Point[];
  readonly sensor?: string | undefined;
}

/** Colours that differ from each other and show on pictures. */
export const COLORS = ['#ffc800', '#00e5ff', '#ff5c8a', '#7cff6b', '#b388ff', '#ff9f43', '#ff4d4d', '#ffffff'] as const;

let lastId = 0;
export function newId(): number {
  lastId += 1;
  return lastId;
}

export function shapeOf(region: Region | RegionOfInterest): Shape {
  const { label, color, coordinates } = region;
  return { id: newId(), kind: 'polygon', label, color, points: coordinates };
}

export function regionOf({ label, color, points }: Shape, sensor: string): Region {
  return { label, color, coordinates: points, sensor };
}

/** The number of an object's point or edge that a place is near to. */
export interface Hit {
  readonly shape: number;
  /** -1: the shape itself. */
  readonly part: number;
}

/** Edges of a shape as pairs of points; a polygon's last edge leads back to its first point. */
export function edgesOf({ kind, points }: Pick<Shape, 'kind' | 'points'>): [Point, Point][] {
  const edges: [Point, Point][] = [];
  const count = kind === 'polygon' && points.length > 2 ? points.length : points.length - 1;
  for (let index = 0; index < count; index += 1) {
    const [from, to] = [points[index], points[(index + 1) % points.length]];
    if (from && to) edges.push([from, to]);
  }
  return edges;
}

/** The nearest point within its radius; the selected shape's wins over others that are as near. */
export function pickPoint(shapes: readonly Shape[], at: Point, selected?: number): Hit | undefined {
  return nearest(shapes, selected, PICK_POINT, ({ points }) => points.map((point) => distance(point, at)));
}

export function pickEdge(shapes: readonly Shape[], at: Point, selected?: number): Hit | undefined {
  return nearest(shapes, selected, PICK_EDGE, (shape) => edgesOf(shape).map(([a, b]) => distanceToEdge(at, a, b)));
}

/** The shape under a place: the selected one, else the last drawn; a line is taken by its edge. */
export function pickShape(shapes: readonly Shape[], at: Point, selected?: number): Hit | undefined {
  const under = shapes.filter((shape) => shape.kind === 'polygon' && holds(shape.points, at));
  const found = under.find(({ id }) => id === selected) ?? under.at(-1);
  return found ? { shape: found.id, part: -1 } : asShape(pickEdge(shapes, at, selected));
}

/** Faults of shapes by id: what keeps them from being saved. */
export function faultsOf(shapes: readonly Shape[]): Map<number, string> {
  const faults = new Map<number, string>();
  for (const shape of shapes) {
    const fault = shape.label.trim() === '' ? 'Give it a name.' : faultOf(shape.kind, shape.points);
    if (fault) faults.set(shape.id, fault);
  }
  return faults;
}

/** A name nobody has yet, as the original's Player gives them (contract F). */
export function freeLabel(shapes: readonly Shape[], kind: ShapeKind): string {
  const stem = kind === 'polygon' ? 'Region of interest' : 'Line';
  const taken = new Set(shapes.map(({ label }) => label));
  let number = 1;
  while (taken.has(`${stem} #${number}`)) number += 1;
  return `${stem} #${number}`;
}

/** The colour that is used least. */
export function freeColor(shapes: readonly Shape[]): string {
  const uses = COLORS.map((color) => shapes.filter((shape) => shape.color === color).length);
  return COLORS[uses.indexOf(Math.min(...uses))] ?? COLORS[0];
}

function asShape(hit: Hit | undefined): Hit | undefined {
  return hit && { shape: hit.shape, part: -1 };
}

function nearest(
  shapes: readonly Shape[],
  selected: number | undefined,
  radius: number,
  distances: (shape: Shape) => number[],
): Hit | undefined {
  let best: Hit | undefined;
  let least = radius;
  for (const shape of shapes) {
    distances(shape).forEach((far, part) => {
      if (far < least || (far === least && (best === undefined || shape.id === selected))) {
        least = far;
        best = { shape: shape.id, part };
      }
    });
  }
  return best;
}
