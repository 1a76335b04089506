/**
 * Polygons, for regions of interest. Units are the caller's (pixels or fractions of the picture): nothing here
 * depends on them. A polygon is a list of vertices, implicitly closed; the direction does not matter.
 */

/** A vertex `[x, y]`. */
export type Vertex = readonly [x: number, y: number];
export type Polygon = readonly Vertex[];

/** Where a point lies. Business rules of the contract count `inside` only (boundary excluded). */
export type Side = 'inside' | 'boundary' | 'outside';

/** Twice the signed area of the triangle a, b, c; exactly 0 when they lie on one line in exact arithmetic. */
function cross(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/**
 * Whether (px, py) lies on the segment a-b. Rounding makes an exact test miss points such as (0.3, 0.1) on a slanted
 * edge, so the distance from the line may be up to a few ulps of the coordinates.
 */
function onSegment(px: number, py: number, ax: number, ay: number, bx: number, by: number): boolean {
  const scale = Math.max(Math.abs(ax), Math.abs(ay), Math.abs(bx), Math.abs(by), Math.abs(px), Math.abs(py));
  const slack = 4 * Number.EPSILON * scale;
  if (px < Math.min(ax, bx) - slack || px > Math.max(ax, bx) + slack) return false;
  if (py < Math.min(ay, by) - slack || py > Math.max(ay, by) + slack) return false;
  const length = Math.hypot(bx - ax, by - ay);
  return Math.abs(cross(ax, ay, bx, by, px, py)) <= slack * (length + slack);
}

/**
 * Even-odd rule: of a self-crossing polygon the parts wound twice are outside. Fewer than three vertices, or
 * coordinates that are not finite, hold nothing: every point is `outside`, except one on the edge of a degenerate
 * polygon, which is on its `boundary`.
 *
 * Source: W. R. Franklin, PNPOLY (crossing number), with an explicit boundary test before it.
 */
export function pointInPolygon(x: number, y: number, polygon: Polygon): Side {
  const count = polygon.length;
  let inside = false;
  let previous = polygon[count - 1];
  if (previous === undefined || !Number.isFinite(x) || !Number.isFinite(y)) return 'outside';
  for (const vertex of polygon) {
    const [ax, ay] = previous;
    const [bx, by] = vertex;
    if (!Number.isFinite(bx) || !Number.isFinite(by)) return 'outside';
    if (onSegment(x, y, ax, ay, bx, by)) return 'boundary';
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    previous = vertex;
  }
  return inside ? 'inside' : 'outside';
}

/** Signed area (shoelace): positive when the vertices run clockwise on a screen (y down). 0 below three vertices. */
export function signedArea(polygon: Polygon): number {
  let previous = polygon[polygon.length - 1];
  if (previous === undefined) return 0;
  let doubled = 0;
  for (const vertex of polygon) {
    doubled += previous[0] * vertex[1] - vertex[0] * previous[1];
    previous = vertex;
  }
  return doubled / 2;
}

/** Area without direction. */
export function polygonArea(polygon: Polygon): number {
  return Math.abs(signedArea(polygon));
}

/** How two segments meet: `cross` in one inner point of both, `touch` at an end or along a stretch, or not at all. */
export function segmentsMeet(a: Vertex, b: Vertex, c: Vertex, d: Vertex): 'cross' | 'touch' | 'apart' {
  if (
    onSegment(a[0], a[1], c[0], c[1], d[0], d[1]) ||
    onSegment(b[0], b[1], c[0], c[1], d[0], d[1]) ||
    onSegment(c[0], c[1], a[0], a[1], b[0], b[1]) ||
    onSegment(d[0], d[1], a[0], a[1], b[0], b[1])
  ) {
    return 'touch';
  }
  const aSide = cross(c[0], c[1], d[0], d[1], a[0], a[1]) > 0;
  const bSide = cross(c[0], c[1], d[0], d[1], b[0], b[1]) > 0;
  const cSide = cross(a[0], a[1], b[0], b[1], c[0], c[1]) > 0;
  const dSide = cross(a[0], a[1], b[0], b[1], d[0], d[1]) > 0;
  return aSide !== bSide && cSide !== dSide ? 'cross' : 'apart';
}

/**
 * The first two edges that cross or overlap, as indexes of their first vertices, or undefined for a simple polygon.
 * Repeated neighbouring vertices are no fault (drawing tools make them); a spike that folds back on itself is.
 */
export function selfIntersection(polygon: Polygon): readonly [number, number] | undefined {
  const vertices = polygon
    .map((vertex, index) => ({ vertex, index }))
    .filter(({ vertex }, position) => {
      const before = polygon[(position + polygon.length - 1) % polygon.length];
      return polygon.length < 2 || before === undefined || before[0] !== vertex[0] || before[1] !== vertex[1];
    });
  const count = vertices.length;
  for (let i = 0; i < count; i += 1) {
    for (let j = i + 1; j < count; j += 1) {
      const a = vertices[i];
      const b = vertices[(i + 1) % count];
      const c = vertices[j];
      const d = vertices[(j + 1) % count];
      if (!a || !b || !c || !d) continue;
      if (edgesClash(a.vertex, b.vertex, c.vertex, d.vertex, b === c, d === a)) return [a.index, c.index];
    }
  }
  return undefined;
}

/** Neighbouring edges share one vertex by nature: they clash only where one runs back over the other. */
function edgesClash(a: Vertex, b: Vertex, c: Vertex, d: Vertex, next: boolean, previous: boolean): boolean {
  if (next && previous) return false;
  if (next) return onSegment(d[0], d[1], a[0], a[1], b[0], b[1]) || onSegment(a[0], a[1], c[0], c[1], d[0], d[1]);
  if (previous) return onSegment(c[0], c[1], a[0], a[1], b[0], b[1]) || onSegment(b[0], b[1], c[0], c[1], d[0], d[1]);
  return segmentsMeet(a, b, c, d) !== 'apart';
}

/**
 * Whether a move from `from` to `to` crossed the line a-b, and which way: `forward` when it went from the left to the
 * right of the direction a to b (on a screen, y down), `backward` the other way. A move that only touches the line
 * counts when it ends on the other side or comes from it, so that a slow object is counted once, not twice.
 */
export function lineCrossing(from: Vertex, to: Vertex, a: Vertex, b: Vertex): 'forward' | 'backward' | undefined {
  const before = cross(a[0], a[1], b[0], b[1], from[0], from[1]);
  const after = cross(a[0], a[1], b[0], b[1], to[0], to[1]);
  // Half open: a point on the line belongs to the forward side.
  if (before >= 0 === after >= 0) return undefined;
  const along = cross(from[0], from[1], to[0], to[1], a[0], a[1]);
  const beyond = cross(from[0], from[1], to[0], to[1], b[0], b[1]);
  if ((along > 0 && beyond > 0) || (along < 0 && beyond < 0)) return undefined;
  return after >= 0 ? 'forward' : 'backward';
}
