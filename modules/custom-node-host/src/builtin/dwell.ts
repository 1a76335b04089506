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
const WHOLE_PICTURE: z.output<typeof point>[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

const schema = z.object({
  ...ruleScope,
  seconds: z.number().positive().max(86_400),
  /** An object that is away for less has not left. */
  holdSeconds: z.number().min(0).max(3600).default(1),
  /** Corners as fractions of the picture. Absent: the whole picture. */
  polygon: z.array(point).min(3).max(256).default(WHOLE_PICTURE),
});

/** Tells when a tracked object has stayed in an area for so long, each camera for itself. */
export class Dwell extends CustomNode {
  readonly #stages: RuleStages;

  constructor(settings: JsonObject) {
    super();
    const { polygon, ...rest } = readSettings('dwell', schema, settings);
    this.#stages = new RuleStages({ type: 'dwell', ...rest, area: { polygon } });
  }

  override describe(): NodeDescription {
    return { image: 'none', response: 'insights' };
  }

  override process(frame: NodeFrame, { ids }: ProcessContext): NodeAnswer {
    return { insights: this.#stages.process(frame, ids.device) };
  }
}
