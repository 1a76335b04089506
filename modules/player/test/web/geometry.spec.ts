import { describe, expect, test } from '@jest/globals';
import { distanceToEdge, faultOf, moveTogether, settle, type Point } from '../../web/src/core/geometry.ts';
import { pickEdge, pickPoint, pickShape, type Shape } from '../../web/src/core/shapes.ts';

const SQUARE: Point[] = [[0.2, 0.2], [0.6, 0.2], [0.6, 0.6], [0.2, 0.6]]; // prettier-ignore

function polygon(id: number, points: readonly Point[]): Shape {
  return { id, kind: 'polygon', label: `shape ${id}`, color: '#ff0000', points };
}

describe('what can be saved', () => {
  test.each<[string, Point[], RegExp | undefined]>([
    ['nothing', [], /at least 3 points, this has 0/],
    ['two points', SQUARE.slice(0, 2), /at least 3 points, this has 2/],
    ['a square', SQUARE, undefined],
    ['a bow', [SQUARE[0]!, SQUARE[2]!, SQUARE[1]!, SQUARE[3]!], /edges 1–2 and 3–4 cross/],
    ['a point below the frame', [...SQUARE.slice(0, 3), [0.2, 1.2]], /Point 4 lies outside the picture/],
    ['a point that is no number', [...SQUARE.slice(0, 3), [Number.NaN, 0.2]], /Point 4 lies outside/],
    ['three points on a line', [[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]], /.+/],
    ['the frame itself', [[0, 0], [1, 0], [1, 1], [0, 1]], undefined],
  ])('%s', (_, points, fault) => {
    if (fault) expect(faultOf('polygon', points)).toMatch(fault);
    else expect(faultOf('polygon', points)).toBeUndefined();
  }); // prettier-ignore

  test('a line has two different ends', () => {
    expect(faultOf('line', SQUARE.slice(0, 1))).toMatch(/2 points, this has 1/);
    expect(faultOf('line', [SQUARE[0]!, SQUARE[0]!])).toMatch(/same place/);
    expect(faultOf('line', SQUARE.slice(0, 2))).toBeUndefined();
  });
});

describe('places', () => {
  test('near the border a point snaps to it, and never leaves the frame', () => {
    expect(settle([0.012, 0.992], true)).toEqual([0, 1]);
    expect(settle([0.012, 0.992], false)).toEqual([0.012, 0.992]);
    expect(settle([-3, 1.5], false)).toEqual([0, 1]);
    expect(settle([0.123456, 0.5], true)).toEqual([0.1235, 0.5]);
  });

  test('points that move together stop together at the border', () => {
    expect(moveTogether(SQUARE, 0.9, -0.1)).toEqual([[0.6, 0.1], [1, 0.1], [1, 0.5], [0.6, 0.5]]); // prettier-ignore
  });

  test('distance from an edge is that from its nearest place', () => {
    expect(distanceToEdge([0.4, 0.1], [0.2, 0.2], [0.6, 0.2])).toBeCloseTo(0.1);
    expect(distanceToEdge([0.7, 0.2], [0.2, 0.2], [0.6, 0.2])).toBeCloseTo(0.1);
    expect(distanceToEdge([0.3, 0.2], [0.2, 0.2], [0.2, 0.2])).toBeCloseTo(0.1);
  });

  test('radii of contract F: 0.025 for points, 0.05 for edges', () => {
    const shapes = [polygon(1, SQUARE)];
    expect(pickPoint(shapes, [0.224, 0.2])).toEqual({ shape: 1, part: 0 });
    expect(pickPoint(shapes, [0.226, 0.2])).toBeUndefined();
    expect(pickEdge(shapes, [0.4, 0.151])).toEqual({ shape: 1, part: 0 });
    expect(pickEdge(shapes, [0.4, 0.149])).toBeUndefined();
    expect(pickEdge(shapes, [0.16, 0.4])).toEqual({ shape: 1, part: 3 });
  });

  test('of shapes one over the other the selected one is taken, else the last', () => {
    const shapes = [polygon(1, SQUARE), polygon(2, SQUARE)];
    expect(pickShape(shapes, [0.4, 0.4])).toEqual({ shape: 2, part: -1 });
    expect(pickShape(shapes, [0.4, 0.4], 1)).toEqual({ shape: 1, part: -1 });
    expect(pickShape(shapes, [0.9, 0.9])).toBeUndefined();
  });
});
