import type { FilterNode, RuleNode, SourceNode } from '../graph.ts';
import { createRule } from '../rules/create-rule.ts';
import { createFilter } from './filter.ts';
import type { InsightStage } from './insight-stage.ts';

/**
 * What runs a node that looks at insights only, for one camera.
 *
 * @param source whose regions of interest a rule may name
 */
export function createInsightStage(node: FilterNode | RuleNode, source: SourceNode): InsightStage {
  return node.kind === 'filter' ? createFilter(node) : createRule(node, source);
}
