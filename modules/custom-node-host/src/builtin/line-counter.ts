import { z } from 'zod';
import type { JsonObject } from '@vantage/contracts';
import {
  CustomNode,
  type NodeAnswer,
  type NodeDescription,
  type NodeFrame,
  type ProcessContext,
} from '@vantage/custom-node';
import { ruleScope } from './rule-settings.ts';
import { RuleStages } from './rule-stage.ts';
import { readSettings } from './settings.ts';

const point = z.tuple([z.number().min(0).max(1), z.number().min(0).max(1)]);

const schema = z.object({
  ...ruleScope,
  /** From one point to the other, as fractions of the picture. */
  line: z.tuple([point, point]),
  direction: z.enum(['both', 'leftToRight', 'rightToLeft']).default('both'),
});

/** Counts tracked objects that cross a line, each camera for itself: an event each, and the totals in every frame. */
export class LineCounter extends CustomNode {
  readonly #stages: RuleStages;

  constructor(settings: JsonObject) {
    super();
    this.#stages = new RuleStages({ type: 'lineCrossing', ...readSettings('line-counter', schema, settings) });
  }

  override describe(): NodeDescription {
    return { image: 'none', response: 'insights' };
  }

  override process(frame: NodeFrame, { ids }: ProcessContext): NodeAnswer {
    return { insights: this.#stages.process(frame, ids.device) };
  }
}
