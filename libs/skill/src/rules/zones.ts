import type { FrameInsights } from '../frame.ts';
import type { Rule, SourceNode } from '../graph.ts';
import { RuleStage, secondsOf, type Finding, type RuleEvent } from './rule-stage.ts';
import { Area, Selection, type Seen } from './selection.ts';
import { Tracks } from './tracks.ts';

type RuleOf<T extends Rule['type']> = Extract<Rule, { type: T }>;

/** The objects of a zone in one frame. */
class Zone {
  readonly selection: Selection;
  readonly #area: Area;

  constructor(rule: RuleOf<'presence' | 'dwell' | 'crowding'>, source: SourceNode) {
    this.selection = new Selection(rule);
    this.#area = new Area(rule.area, source);
  }

  objects(frame: FrameInsights): Seen[] {
    return this.selection.of(frame).filter((seen) => this.#area.holds(seen, frame));
  }
}

/** Somebody is there: from the first object on, until none was there for `holdSeconds`. */
export class Presence extends RuleStage {
  readonly #zone: Zone;
  readonly #holdUs: number;
  #since: number | undefined;
  #lastUs = 0;

  constructor(id: string, rule: RuleOf<'presence'>, source: SourceNode) {
    super(id);
    this.#zone = new Zone(rule, source);
    this.#holdUs = rule.holdSeconds * 1e6;
  }

  protected override look(frame: FrameInsights): Finding {
    const inside = this.#zone.objects(frame);
    const count = inside.length;
    const events: RuleEvent[] = [];
    if (count > 0) {
      this.#lastUs = frame.ptsUs;
      if (this.#since === undefined) {
        this.#since = frame.ptsUs;
        events.push({ type: 'presenceStarted', keys: keysOf(inside), properties: { count } });
      }
    } else if (this.#since !== undefined && frame.ptsUs - this.#lastUs >= this.#holdUs) {
      events.push({ type: 'presenceEnded', keys: [], properties: { seconds: secondsOf(this.#lastUs - this.#since) } });
      this.#since = undefined;
    }
    return { events, properties: { present: this.#since !== undefined, count } };
  }

  protected override forget(): void {
    this.#since = undefined;
  }
}

interface Stay {
  readonly since: number;
  told: boolean;
}

/** An object stays: told once a stay, when it has lasted long enough; and when it ends. */
export class Dwell extends RuleStage {
  readonly #rule: RuleOf<'dwell'>;
  readonly #zone: Zone;
  readonly #stays: Tracks<Stay>;
  readonly #staying = new Set<string>();

  constructor(id: string, rule: RuleOf<'dwell'>, source: SourceNode) {
    super(id);
    this.#rule = rule;
    this.#zone = new Zone(rule, source);
    this.#stays = new Tracks(rule.holdSeconds * 1e6);
  }

  protected override look(frame: FrameInsights): Finding {
    const { ptsUs } = frame;
    const events: RuleEvent[] = [];
    const inside = this.#zone.objects(frame);
    // First, so that one who comes back later than that begins a new stay.
    for (const { key, value, lastUs } of this.#stays.expire(ptsUs)) {
      if (!value.told) continue;
      this.#staying.delete(key);
      events.push({ type: 'dwellEnded', keys: [key], properties: { seconds: secondsOf(lastUs - value.since) } });
    }
    for (const { object, key } of inside) {
      if (key === undefined) continue;
      const stay = this.#stays.see(key, ptsUs, () => ({ since: ptsUs, told: false }));
      const seconds = this.#zone.selection.settings(object.label)?.seconds ?? this.#rule.seconds;
      if (stay.told || ptsUs - stay.since < seconds * 1e6) continue;
      stay.told = true;
      this.#staying.add(key);
      const properties = { label: object.label, seconds: secondsOf(ptsUs - stay.since) };
      events.push({ type: 'dwell', keys: [key], properties });
    }
    return { events, properties: { count: inside.length, dwelling: this.#staying.size } };
  }

  protected override forget(): void {
    this.#stays.clear();
    this.#staying.clear();
  }
}

/** Many at once: from when it has lasted `forSeconds`, until fewer were there for as long. */
export class Crowding extends RuleStage {
  readonly #rule: RuleOf<'crowding'>;
  readonly #zone: Zone;
  #crowded = false;
  /** Since when it is the other way round. */
  #otherSince: number | undefined;

  constructor(id: string, rule: RuleOf<'crowding'>, source: SourceNode) {
    super(id);
    this.#rule = rule;
    this.#zone = new Zone(rule, source);
  }

  protected override look(frame: FrameInsights): Finding {
    const { atLeast, forSeconds } = this.#rule;
    const inside = this.#zone.objects(frame);
    const count = inside.length;
    const many = count >= atLeast;
    const events: RuleEvent[] = [];
    if (many === this.#crowded) this.#otherSince = undefined;
    else {
      this.#otherSince ??= frame.ptsUs;
      if (frame.ptsUs - this.#otherSince >= forSeconds * 1e6) {
        this.#crowded = many;
        this.#otherSince = undefined;
        const type = many ? 'crowdingStarted' : 'crowdingEnded';
        events.push({ type, keys: keysOf(inside), properties: { count, atLeast } });
      }
    }
    return { events, properties: { crowded: this.#crowded, count } };
  }

  protected override forget(): void {
    this.#crowded = false;
    this.#otherSince = undefined;
  }
}

function keysOf(inside: readonly Seen[]): string[] {
  return inside.flatMap(({ key }) => (key === undefined ? [] : [key]));
}
