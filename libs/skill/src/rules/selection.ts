import { pointInPolygon, UNTRACKED, type Vertex } from '@vantage/vision';
import type { FrameInsights, FrameObject } from '../frame.ts';
import type { Anchor, ClassSettings, Region, RuleArea, RuleScope, SourceNode } from '../graph.ts';

/** An object that a rule looks at. */
export interface Seen {
  readonly object: FrameObject;
  /** Place among the frame's objects. */
  readonly place: number;
  /** The anchor in pixels of the frame, inside of it. */
  readonly at: Vertex;
  /** The same from frame to frame; undefined where nothing follows the object. */
  readonly key: string | undefined;
}

/** Where and who: which objects of a frame a rule looks at. */
export class Selection {
  readonly #scope: RuleScope;
  readonly #labels: ReadonlySet<string>;

  constructor(scope: RuleScope) {
    this.#scope = scope;
    this.#labels = new Set(scope.labels);
  }

  of({ detections, width, height }: FrameInsights): Seen[] {
    const seen: Seen[] = [];
    detections.forEach((object, place) => {
      const { label, confidence } = object;
      if (this.#labels.size > 0 && !this.#labels.has(label)) return;
      const { minConfidence, anchor } = this.#scope;
      const own = this.settings(label);
      const least = own?.minConfidence ?? minConfidence;
      // As the filter: confidences may be 32-bit floats.
      if (least > 0 && !(Math.fround(confidence) >= Math.fround(least))) return;
      const at = anchorOf(object, own?.anchor ?? anchor, width, height);
      if (at) seen.push({ object, place, at, key: keyOf(object) });
    });
    return seen;
  }

  /** What is different for a label, if anything. */
  settings(label: string): ClassSettings | undefined {
    const { perClass } = this.#scope;
    return perClass && Object.hasOwn(perClass, label) ? perClass[label] : undefined;
  }
}

/** Undefined for a box that is none. Objects that leave the picture are at its edge. */
function anchorOf({ box }: FrameObject, anchor: Anchor, width: number, height: number): Vertex | undefined {
  const x = box.left + box.width / 2;
  const y = box.top + (anchor === 'centre' ? box.height / 2 : box.height);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return undefined;
  return [Math.min(Math.max(x, 0), width), Math.min(Math.max(y, 0), height)];
}

function keyOf({ trackingId, foreignTrackingId }: FrameObject): string | undefined {
  return foreignTrackingId ?? (trackingId > UNTRACKED ? String(trackingId) : undefined);
}

/** A region or polygon for one camera. */
export class Area {
  readonly #polygons: readonly Region['coordinates'][];

  /** Regions of one label are one area. A label that the camera does not have holds nothing. */
  constructor(area: RuleArea, { regions }: SourceNode) {
    this.#polygons =
      'polygon' in area
        ? [area.polygon]
        : regions.filter(({ label }) => label === area.region).map(({ coordinates }) => coordinates);
  }

  /** The boundary belongs to it: an object at the lower edge of the picture is in a zone that ends there. */
  holds({ at: [x, y] }: Seen, { width, height }: FrameInsights): boolean {
    return this.#polygons.some((polygon) => pointInPolygon(x / width, y / height, polygon) !== 'outside');
  }
}
