import type { AnalyticsMode, AnalyticsPoint, AnalyticsRule, AnalyticsSpec } from '@vantage/deepstream';
import { lineCrossing, pointInPolygon, type Detection, type Vertex } from '@vantage/vision';

/** Something that happened in a frame. */
export interface FrameEvent {
  readonly type: 'lineCrossing' | 'direction' | 'overcrowdingStarted' | 'overcrowdingEnded';
  /** Name of the rule. */
  readonly zone: string;
  /** Lines and directions: the object. */
  readonly trackingId?: number;
  readonly label?: string;
  /** Lines: objects that crossed since the camera was opened. Crowds: objects in the region. */
  readonly count?: number;
}

/** What the rules say about a frame. */
export interface AnalyticsResult {
  /** Objects in each region. */
  readonly regions: readonly { readonly zone: string; readonly count: number }[];
  /** Objects that crossed each line since the camera was opened. */
  readonly lines: readonly { readonly zone: string; readonly count: number }[];
  /** Regions with too many objects, for long enough. */
  readonly overcrowded: readonly string[];
  readonly events: readonly FrameEvent[];
}

/** Least cosine between a movement and the arrow. NVIDIA names the modes and not the numbers. */
const LEAST_COSINE: Readonly<Record<AnalyticsMode, number>> = { strict: 0.94, balanced: 0.7, loose: 0.25 };
/** A direction is judged over this much of frame time, so that a box that trembles has none. */
const DIRECTION_US = 1_000_000;
/** Movements below this part of the picture's width are none. */
const STILL = 0.01;
const FORGET_US = 5_000_000;
const MAX_TRACKS = 4096;

interface Track {
  readonly path: { readonly us: number; readonly at: Vertex }[];
  readonly directions: Set<string>;
}

/**
 * The rules of an nvdsanalytics file for one camera. An object is where the middle of its lower edge is. Lines and
 * directions need tracked objects. Goes by the frames' own time.
 */
export class Analytics {
  readonly #spec: AnalyticsSpec;
  readonly #stream: number;
  readonly #tracks = new Map<number, Track>();
  readonly #crossed = new Map<string, number>();
  readonly #crowdedSince = new Map<string, number>();
  readonly #overcrowded = new Set<string>();

  /** @param stream number of the camera in its pipeline, which rules name */
  constructor(spec: AnalyticsSpec, stream: number) {
    this.#spec = spec;
    this.#stream = stream;
  }

  /** @param width of the frame that boxes belong to, pixels */
  update(objects: readonly Detection[], timeUs: number, width: number, height: number): AnalyticsResult {
    const { regions, lines, overcrowding, directions } = this.#spec;
    const scale: Scale = ({ x, y }) => [(x * width) / this.#spec.width, (y * height) / this.#spec.height];
    const events: FrameEvent[] = [];
    const own = <T extends AnalyticsRule>(rules: readonly T[]): readonly T[] =>
      this.#spec.enabled ? rules.filter(({ stream, enabled }) => enabled && stream === this.#stream) : [];
    const moved = this.#follow(objects, timeUs);

    const counts = own(regions).map(({ name, polygon, inverse, classIds }) => {
      const area = polygon.map(scale);
      const inside = (object: Detection): boolean => isInside(object, area) !== inverse;
      return { zone: name, count: objects.filter((object) => concerns(classIds, object) && inside(object)).length };
    });
    for (const { name, segment, direction, mode, extended, classIds } of own(lines)) {
      const arrow = vector(direction.map(scale));
      for (const { object, from, to } of moved) {
        if (!from || !concerns(classIds, object) || !crosses(from, to, segment.map(scale), extended, width, height))
          continue;
        if (cosine([to[0] - from[0], to[1] - from[1]], arrow) < LEAST_COSINE[mode]) continue;
        const count = (this.#crossed.get(name) ?? 0) + 1;
        this.#crossed.set(name, count);
        events.push({ type: 'lineCrossing', zone: name, trackingId: object.trackingId, label: object.label, count });
      }
    }
    for (const { name, direction, mode, classIds } of own(directions)) {
      const arrow = vector(direction.map(scale));
      for (const { object, track, earlier, to } of moved) {
        if (!earlier || !concerns(classIds, object)) continue;
        const move: Vertex = [to[0] - earlier[0], to[1] - earlier[1]];
        const along = Math.hypot(...move) > STILL * width && cosine(move, arrow) >= LEAST_COSINE[mode];
        if (along && !track.directions.has(name)) {
          events.push({ type: 'direction', zone: name, trackingId: object.trackingId, label: object.label });
        }
        if (along) track.directions.add(name);
        else track.directions.delete(name);
      }
    }
    for (const { name, polygon, objectThreshold, timeThresholdMs, classIds } of own(overcrowding)) {
      const area = polygon.map(scale);
      const count = objects.filter((object) => concerns(classIds, object) && isInside(object, area)).length;
      const event = this.#crowd(name, count > objectThreshold, timeThresholdMs, timeUs);
      if (event) events.push({ type: event, zone: name, count });
    }
    return {
      regions: counts,
      lines: own(lines).map(({ name }) => ({ zone: name, count: this.#crossed.get(name) ?? 0 })),
      overcrowded: [...this.#overcrowded],
      events,
    };
  }

  /** Another scene: nobody came from where somebody was. Counts go on. */
  reset(): void {
    this.#tracks.clear();
    this.#crowdedSince.clear();
    this.#overcrowded.clear();
  }

  #crowd(
    zone: string,
    tooMany: boolean,
    forMs: number,
    timeUs: number,
  ): 'overcrowdingStarted' | 'overcrowdingEnded' | undefined {
    if (!tooMany) {
      this.#crowdedSince.delete(zone);
      return this.#overcrowded.delete(zone) ? 'overcrowdingEnded' : undefined;
    }
    const since = this.#crowdedSince.get(zone) ?? timeUs;
    this.#crowdedSince.set(zone, since);
    if (this.#overcrowded.has(zone) || timeUs - since < forMs * 1000) return undefined;
    this.#overcrowded.add(zone);
    return 'overcrowdingStarted';
  }

  /** Where tracked objects were in the frame before, and about a second ago. */
  #follow(objects: readonly Detection[], timeUs: number): Moved[] {
    const moved = objects.flatMap((object): Moved[] => {
      if (object.trackingId < 0) return [];
      const track = this.#tracks.get(object.trackingId) ?? { path: [], directions: new Set<string>() };
      // Set anew, so that those that were not seen for longest come first.
      this.#tracks.delete(object.trackingId);
      this.#tracks.set(object.trackingId, track);
      const to = footOf(object);
      const from = track.path.at(-1)?.at;
      while ((track.path[1]?.us ?? timeUs) <= timeUs - DIRECTION_US) track.path.shift();
      const first = track.path[0];
      const earlier = first && timeUs - first.us >= DIRECTION_US / 2 ? first.at : undefined;
      track.path.push({ us: timeUs, at: to });
      return [{ object, track, from, earlier, to }];
    });
    for (const [id, { path }] of this.#tracks) {
      const lastUs = path.at(-1)?.us ?? 0;
      if (timeUs - lastUs <= FORGET_US && this.#tracks.size <= MAX_TRACKS) break;
      this.#tracks.delete(id);
    }
    return moved;
  }
}

type Scale = (point: AnalyticsPoint) => Vertex;

interface Moved {
  readonly object: Detection;
  readonly track: Track;
  readonly from: Vertex | undefined;
  readonly earlier: Vertex | undefined;
  readonly to: Vertex;
}

function concerns(classIds: readonly number[], { classId }: Detection): boolean {
  return classIds.length === 0 || classIds.includes(classId);
}

function footOf({ box }: Detection): Vertex {
  return [box.left + box.width / 2, box.top + box.height];
}

function isInside(object: Detection, area: readonly Vertex[]): boolean {
  return pointInPolygon(...footOf(object), area) !== 'outside';
}

function crosses(
  from: Vertex,
  to: Vertex,
  [a, b]: readonly Vertex[],
  extended: boolean,
  width: number,
  height: number,
): boolean {
  if (!a || !b) return false;
  if (!extended) return lineCrossing(from, to, a, b) !== undefined;
  const [x, y] = vector([a, b]);
  const far = (width + height) / Math.max(1e-9, Math.hypot(x, y));
  const start: Vertex = [a[0] - x * far, a[1] - y * far];
  return lineCrossing(from, to, start, [b[0] + x * far, b[1] + y * far]) !== undefined;
}

function vector([from, to]: readonly Vertex[]): Vertex {
  return from && to ? [to[0] - from[0], to[1] - from[1]] : [0, 0];
}

function cosine(a: Vertex, b: Vertex): number {
  const lengths = Math.hypot(...a) * Math.hypot(...b);
  return lengths > 0 ? (a[0] * b[0] + a[1] * b[1]) / lengths : 0;
}
