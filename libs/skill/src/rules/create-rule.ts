import type { RuleNode, SourceNode } from '../graph.ts';
import type { InsightStage } from '../stages/insight-stage.ts';

/** What runs a rule for one camera. */
export const createRule: (node: RuleNode, source: SourceNode) => InsightStage = () => ({
  process: (frame) => frame,
  reset: () => undefined,
});
