import { lineCrossing, type Vertex } from '@vantage/vision';
import type { FrameInsights } from '../frame.ts';
import type { Rule } from '../graph.ts';
import { RuleStage, type Finding, type RuleEvent } from './rule-stage.ts';
import { Selection } from './selection.ts';
import { Tracks } from './tracks.ts';

/** A track that was away for longer is not joined over the gap. */
const KEEP_US = 5_000_000;
/** Part of the picture's diagonal that an object has to be beyond the line: one that trembles on it crosses nothing. */
const MARGIN = 0.005;

interface Walk {
  at: Vertex | undefined;
  /** Crossings through the segment that are not told: to the right counts 1, to the left -1. */
  net: number;
}

/** Tracked objects that cross a line, by direction. */
export class LineCrossing extends RuleStage {
  readonly #rule: Extract<Rule, { type: 'lineCrossing' }>;
  readonly #selection: Selection;
  readonly #walks = new Tracks<Walk>(KEEP_US);
  readonly #counts = { leftToRight: 0, rightToLeft: 0 };

  constructor(id: string, rule: Extract<Rule, { type: 'lineCrossing' }>) {
    super(id);
    this.#rule = rule;
    this.#selection = new Selection(rule);
  }

  protected override look(frame: FrameInsights): Finding {
    const { width, height, ptsUs } = frame;
    const { direction } = this.#rule;
    const [from, to] = this.#rule.line;
    const a: Vertex = [from[0] * width, from[1] * height];
    const b: Vertex = [to[0] * width, to[1] * height];
    const margin = MARGIN * Math.hypot(width, height);
    const events: RuleEvent[] = [];
    for (const { object, at, key } of this.#selection.of(frame)) {
      if (key === undefined) continue;
      const walk = this.#walks.see(key, ptsUs, () => ({ at: undefined, net: 0 }));
      const crossed = walk.at && lineCrossing(walk.at, at, a, b);
      if (crossed) walk.net += crossed === 'forward' ? 1 : -1;
      walk.at = at;
      if (walk.net === 0 || distance(at, a, b) < margin) continue;
      const went = walk.net > 0 ? 'leftToRight' : 'rightToLeft';
      walk.net = 0;
      if (direction !== 'both' && direction !== went) continue;
      this.#counts[went] += 1;
      const properties = { label: object.label, direction: went, count: this.#counts[went] };
      events.push({ type: 'lineCrossing', keys: [key], properties });
    }
    this.#walks.expire(ptsUs);
    return { events, properties: direction === 'both' ? this.#counts : { [direction]: this.#counts[direction] } };
  }

  protected override forget(): void {
    this.#walks.clear();
  }
}

/** From the line, which has no ends here: who crossed between them may go on past one. */
function distance([x, y]: Vertex, [ax, ay]: Vertex, [bx, by]: Vertex): number {
  return Math.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / Math.max(Math.hypot(bx - ax, by - ay), 1e-9);
}
