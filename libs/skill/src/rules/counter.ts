import type { FrameInsights } from '../frame.ts';
import type { Rule, SourceNode } from '../graph.ts';
import { RuleStage, type Finding, type RuleEvent } from './rule-stage.ts';
import { Area, Selection } from './selection.ts';
import { Tracks } from './tracks.ts';

/** Longer than any camera looks: a track counts once, as long as it is remembered. */
const ALWAYS_US = Number.POSITIVE_INFINITY;
const MAX_LABELS = 32;

interface Counted {
  window: number;
}

/** Different tracked objects, since the camera was opened or in windows of time. */
export class Counter extends RuleStage {
  readonly #windowUs: number;
  readonly #selection: Selection;
  readonly #area: Area | undefined;
  readonly #seen = new Tracks<Counted>(ALWAYS_US);
  #counts = new Map<string, number>();
  #total = 0;
  /** Counts windows, so that one who stays counts in each. */
  #window = 0;
  #startUs: number | undefined;

  constructor(id: string, rule: Extract<Rule, { type: 'counter' }>, source: SourceNode) {
    super(id);
    this.#windowUs = rule.windowSeconds * 1e6;
    this.#selection = new Selection(rule);
    this.#area = rule.area && new Area(rule.area, source);
  }

  protected override look(frame: FrameInsights): Finding {
    const events = this.#closeWindow(frame.ptsUs);
    for (const seen of this.#selection.of(frame)) {
      const { key, object } = seen;
      if (key === undefined || (this.#area && !this.#area.holds(seen, frame))) continue;
      const known = this.#seen.see(key, frame.ptsUs, () => ({ window: -1 }));
      if (known.window === this.#window) continue;
      known.window = this.#window;
      this.#total += 1;
      if (this.#counts.has(object.label) || this.#counts.size < MAX_LABELS) {
        this.#counts.set(object.label, (this.#counts.get(object.label) ?? 0) + 1);
      }
    }
    this.#seen.expire(frame.ptsUs);
    return { events, properties: { count: this.#total } };
  }

  protected override forget(): void {
    this.#seen.clear();
    this.#startUs = undefined;
  }

  /** At the first frame of another window, the one before is told. */
  #closeWindow(nowUs: number): RuleEvent[] {
    if (this.#windowUs <= 0) return [];
    this.#startUs ??= nowUs;
    const passed = Math.floor((nowUs - this.#startUs) / this.#windowUs);
    if (passed < 1) return [];
    const labels = Object.fromEntries([...this.#counts].map(([label, count]) => [`label.${label}`, count]));
    const properties = { ...labels, count: this.#total, seconds: this.#windowUs / 1e6 };
    this.#startUs += passed * this.#windowUs;
    this.#window += 1;
    this.#total = 0;
    this.#counts = new Map();
    return [{ type: 'count', keys: [], properties }];
  }
}
