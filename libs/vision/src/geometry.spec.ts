import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  lineCrossing,
  pointInPolygon,
  polygonArea,
  segmentsMeet,
  selfIntersection,
  signedArea,
  type Polygon,
  type Vertex,
} from './geometry.ts';

const SQUARE: Polygon = [
  [0, 0],
  [10, 0],
  [10, 10],
  [0, 10],
];
/** Of the default twin: an unclosed polygon in fractions. */
const TWIN: Polygon = [
  [0, 0],
  [0, 0.9],
  [0.9, 0.9],
  [0.9, 0],
];
const U_SHAPE: Polygon = [
  [0, 0],
  [9, 0],
  [9, 9],
  [6, 9],
  [6, 3],
  [3, 3],
  [3, 9],
  [0, 9],
];
const BOW_TIE: Polygon = [
  [0, 0],
  [10, 10],
  [10, 0],
  [0, 10],
];

describe('pointInPolygon', () => {
  test.each<[string, number, number, Polygon, string]>([
    ['no polygon', 1, 1, [], 'outside'],
    ['a point', 1, 1, [[1, 1]], 'boundary'],
    ['beside a point', 1, 2, [[1, 1]], 'outside'],
    ['a line', 5, 0, [[0, 0], [10, 0]], 'boundary'], // prettier-ignore
    ['beside a line', 5, 1, [[0, 0], [10, 0]], 'outside'], // prettier-ignore
    ['a flat triangle', 5, 5, [[0, 0], [10, 10], [5, 5]], 'boundary'], // prettier-ignore
    ['a vertex that is not a number', 5, 5, [[0, 0], [Number.NaN, 10], [10, 0]], 'outside'], // prettier-ignore
    ['a point that is not a number', Number.NaN, 5, SQUARE, 'outside'],
    ['a point at infinity', Infinity, 5, SQUARE, 'outside'],
    ['repeated vertices', 5, 5, [[0, 0], [0, 0], [10, 0], [10, 10], [10, 10], [0, 10]], 'inside'], // prettier-ignore
    ['closed twice', 5, 5, [...SQUARE, [0, 0]], 'inside'],
    ['the middle', 5, 5, SQUARE, 'inside'],
    ['a corner', 10, 10, SQUARE, 'boundary'],
    ['an edge', 0, 5, SQUARE, 'boundary'],
    ['level with an edge, outside', 11, 10, SQUARE, 'outside'],
    ['level with a vertex, inside', 1, 3, U_SHAPE, 'inside'],
    ['in the gap of a U', 4.5, 6, U_SHAPE, 'outside'],
    ['in the arm of a U', 7.5, 6, U_SHAPE, 'inside'],
    ['in a wing of a bow tie', 2, 5, BOW_TIE, 'inside'],
    ['between the wings of a bow tie', 5, 9, BOW_TIE, 'outside'],
    ['fractions of the twin', 0.5, 0.5, TWIN, 'inside'],
    ['on the edge of the twin', 0.9, 0.45, TWIN, 'boundary'],
    ['just outside of the twin', 0.900001, 0.45, TWIN, 'outside'],
    ['on a slanted edge that rounding misses', 0.1 * 3, 0.1 * 3, [[0, 0], [1, 1], [0, 1]], 'boundary'], // prettier-ignore
  ])('%s', (_name, x, y, polygon, side) => {
    expect(pointInPolygon(x, y, polygon)).toBe(side);
    expect(pointInPolygon(x, y, [...polygon].reverse())).toBe(side);
  });

  test('agrees with half planes for convex polygons', () => {
    const coordinate = fc.integer({ min: -50, max: 50 });
    fc.assert(
      fc.property(coordinate, coordinate, fc.integer({ min: 3, max: 9 }), (x, y, sides) => {
        const polygon: Vertex[] = Array.from({ length: sides }, (_, i) => [
          40 * Math.cos((2 * Math.PI * i) / sides),
          40 * Math.sin((2 * Math.PI * i) / sides),
        ]);
        const side = polygon.map(([ax, ay], i) => {
          const [bx, by] = polygon[(i + 1) % sides]!;
          return (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        });
        fc.pre(side.every((value) => Math.abs(value) > 1e-6));
        expect(pointInPolygon(x, y, polygon)).toBe(side.every((value) => value > 0) ? 'inside' : 'outside');
      }),
    );
  });
});

test('area has a sign by direction and none without it', () => {
  expect(signedArea([])).toBe(0);
  expect(signedArea([[1, 1], [2, 2]])).toBe(0); // prettier-ignore
  expect(signedArea(SQUARE)).toBe(100);
  expect(signedArea([...SQUARE].reverse())).toBe(-100);
  expect(polygonArea(U_SHAPE)).toBe(63);
});

test.each<[string, Polygon, readonly [number, number] | undefined]>([
  ['nothing', [], undefined],
  ['a point', [[1, 1]], undefined],
  ['a line', [[0, 0], [1, 1]], undefined], // prettier-ignore
  ['the same point three times', [[1, 1], [1, 1], [1, 1]], undefined], // prettier-ignore
  ['a triangle', [[0, 0], [5, 0], [0, 5]], undefined], // prettier-ignore
  ['a square, closed', [...SQUARE, [0, 0]], undefined],
  ['a U', U_SHAPE, undefined],
  ['a bow tie', BOW_TIE, [0, 2]],
  ['a spike', [[0, 0], [10, 0], [5, 0], [5, 5]], [0, 1]], // prettier-ignore
  ['an edge that touches another', [[0, 0], [10, 0], [10, 10], [5, 0], [0, 10]], [0, 2]], // prettier-ignore
])('self intersection of %s', (_name, polygon, expected) => {
  expect(selfIntersection(polygon)).toEqual(expected);
});

test.each<[Vertex, Vertex, Vertex, Vertex, string]>([
  [[0, 0], [0, 0], [0, 0], [0, 0], 'touch'],
  [[0, 0], [0, 0], [1, 1], [2, 2], 'apart'],
  [[0, 0], [2, 2], [0, 2], [2, 0], 'cross'],
  [[0, 0], [2, 2], [2, 2], [3, 0], 'touch'],
  [[0, 0], [2, 0], [1, 0], [3, 0], 'touch'],
  [[0, 0], [2, 0], [3, 0], [4, 0], 'apart'],
  [[0, 0], [2, 0], [0, 1], [2, 1], 'apart'],
])('segments %j-%j and %j-%j: %s', (a, b, c, d, expected) => {
  expect(segmentsMeet(a, b, c, d)).toBe(expected);
  expect(segmentsMeet(c, d, b, a)).toBe(expected);
});

describe('lineCrossing', () => {
  const a: Vertex = [0, 0];
  const b: Vertex = [10, 0];
  test.each<[Vertex, Vertex, string | undefined]>([
    [[5, 1], [5, 1], undefined],
    [[5, -1], [5, 1], 'forward'],
    [[5, 1], [5, -1], 'backward'],
    [[11, -1], [11, 1], undefined],
    [[5, -1], [5, -0.5], undefined],
    [[9, -5], [30, 5], undefined],
  ])('%j to %j: %s', (from, to, expected) => {
    expect(lineCrossing(from, to, a, b)).toBe(expected);
  });

  test('a stop on the line counts once', () => {
    const path: Vertex[] = [[5, -1], [5, 0], [5, 0], [5, 1]]; // prettier-ignore
    const crossings = path.slice(1).map((to, i) => lineCrossing(path[i]!, to, a, b));
    expect(crossings.filter((crossing) => crossing !== undefined)).toEqual(['forward']);
  });
});
