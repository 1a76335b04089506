import type { RuleNode, SourceNode } from '../graph.ts';
import type { InsightStage } from '../stages/insight-stage.ts';
import { Counter } from './counter.ts';
import { LineCrossing } from './line-crossing.ts';
import { Speed } from './speed.ts';
import { Crowding, Dwell, Presence } from './zones.ts';

/** What runs a rule for one camera. */
export function createRule({ id, rule }: RuleNode, source: SourceNode): InsightStage {
  switch (rule.type) {
    case 'presence':
      return new Presence(id, rule, source);
    case 'dwell':
      return new Dwell(id, rule, source);
    case 'crowding':
      return new Crowding(id, rule, source);
    case 'lineCrossing':
      return new LineCrossing(id, rule);
    case 'counter':
      return new Counter(id, rule, source);
    case 'speed':
      return new Speed(id, rule);
  }
}
