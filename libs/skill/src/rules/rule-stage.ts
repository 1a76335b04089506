import type { FrameInsights, FrameObject, InsightEvent } from '../frame.ts';
import type { InsightStage } from '../stages/insight-stage.ts';

/** What a rule has to say about a frame. */
export interface Finding {
  readonly events?: readonly RuleEvent[];
  /** Figures, under the node's id. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  readonly detections?: readonly FrameObject[];
}

export interface RuleEvent {
  readonly type: string;
  /** Tracks it is about. */
  readonly keys: readonly string[];
  readonly properties: Readonly<Record<string, string | number>>;
}

/** The objects of an event; more would make documents large. */
const MAX_RELATED = 64;

/** What all rules share: time that only goes on, events with ids that a replay repeats, figures under the node's id. */
export abstract class RuleStage implements InsightStage {
  readonly #id: string;
  #lastUs = Number.NEGATIVE_INFINITY;

  constructor(id: string) {
    this.#id = id;
  }

  process(frame: FrameInsights): FrameInsights {
    // A clock that goes back is another scene.
    if (frame.ptsUs < this.#lastUs) this.reset();
    this.#lastUs = frame.ptsUs;
    const { events = [], properties = {}, detections } = this.look(frame);
    const named = Object.entries(properties).map(([key, value]) => [`${this.#id}.${key}`, String(value)]);
    return {
      ...frame,
      ...(detections ? { detections } : {}),
      ...(events.length > 0
        ? { events: [...(frame.events ?? []), ...events.map((one) => this.#event(one, frame))] }
        : {}),
      ...(named.length > 0 ? { properties: { ...frame.properties, ...(Object.fromEntries(named) as object) } } : {}),
    };
  }

  reset(): void {
    this.#lastUs = Number.NEGATIVE_INFINITY;
    this.forget();
  }

  protected abstract look(frame: FrameInsights): Finding;

  /** Another scene: nobody is where somebody was. */
  protected abstract forget(): void;

  #event({ type, keys, properties }: RuleEvent, { sensor, ptsUs, captureTimeMs }: FrameInsights): InsightEvent {
    const texts = Object.entries(properties).map(([key, value]) => [key, String(value)]);
    return {
      type,
      id: [sensor, this.#id, type, ptsUs, ...keys.slice(0, 1)].join('/'),
      timeMs: captureTimeMs,
      relatedIds: keys.slice(0, MAX_RELATED),
      properties: { node: this.#id, ...(Object.fromEntries(texts) as Record<string, string>) },
    };
  }
}

/** Seconds with milliseconds, for people and documents. */
export function secondsOf(us: number): number {
  return Math.round(us / 1000) / 1000;
}
