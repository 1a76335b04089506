import type { Vertex } from '@vantage/vision';
import type { FrameInsights, FrameObject } from '../frame.ts';
import type { Rule } from '../graph.ts';
import { RuleStage, type Finding } from './rule-stage.ts';
import { Selection } from './selection.ts';
import { Tracks } from './tracks.ts';

const KEEP_US = 5_000_000;
/** Places that are kept of a track: enough for a steady window at any number of frames a second. */
const SAMPLES = 32;

interface Place {
  readonly us: number;
  readonly at: Vertex;
}

/** How fast tracked objects move: from where they were `overSeconds` ago. */
export class Speed extends RuleStage {
  readonly #overUs: number;
  readonly #scale: number;
  readonly #selection: Selection;
  readonly #paths = new Tracks<Place[]>(KEEP_US);

  constructor(id: string, rule: Extract<Rule, { type: 'speed' }>) {
    super(id);
    this.#overUs = rule.overSeconds * 1e6;
    this.#scale = rule.metresPerPixel ?? 1;
    this.#selection = new Selection(rule);
  }

  protected override look(frame: FrameInsights): Finding {
    const { ptsUs, detections } = frame;
    const motions = new Map<number, NonNullable<FrameObject['motion']>>();
    for (const { place, at, key } of this.#selection.of(frame)) {
      if (key === undefined) continue;
      const path = this.#paths.see(key, ptsUs, () => []);
      while ((path[1]?.us ?? ptsUs) <= ptsUs - this.#overUs) path.shift();
      const motion = this.#motion(path[0], at, ptsUs);
      if (motion) motions.set(place, motion);
      if (ptsUs - (path.at(-1)?.us ?? Number.NEGATIVE_INFINITY) >= this.#overUs / SAMPLES) path.push({ us: ptsUs, at });
    }
    this.#paths.expire(ptsUs);
    if (motions.size === 0) return {};
    return {
      detections: detections.map((object, place) => {
        const motion = motions.get(place);
        return motion ? { ...object, motion } : object;
      }),
    };
  }

  protected override forget(): void {
    this.#paths.clear();
  }

  /** Undefined until half of the time has passed: less is mostly the trembling of boxes. */
  #motion(from: Place | undefined, [x, y]: Vertex, nowUs: number): FrameObject['motion'] {
    if (!from || nowUs - from.us < this.#overUs / 2) return undefined;
    const [dx, dy] = [x - from.at[0], y - from.at[1]];
    const length = Math.hypot(dx, dy);
    const direction = length > 0 ? { x: dx / length, y: dy / length } : { x: 0, y: 0 };
    return { speed: (length * this.#scale * 1e6) / (nowUs - from.us), direction };
  }
}
