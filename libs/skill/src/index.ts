export { Analytics, type AnalyticsResult, type FrameEvent } from './analytics/analytics.ts';
export { compileComponents, type CompileNote, type CompileResult } from './compile.ts';
export type { FrameInsights, FrameObject, InsightEvent } from './frame.ts';
export {
  nextNode,
  nodesOf,
  primaryModel,
  secondaryModels,
  type AnalyticsNode,
  type Anchor,
  type CustomNode,
  type ExportNode,
  type ExportTarget,
  type FilterNode,
  type GraphEdge,
  type GraphNode,
  type ModelNode,
  type ModelPackage,
  type PixelRect,
  type QueuePolicy,
  type RecorderNode,
  type Region,
  type Rule,
  type RuleArea,
  type RuleNode,
  type RuleScope,
  type SkillGraph,
  type SnippetNode,
  type SourceNode,
  type TrackerNode,
} from './graph.ts';
export { describeStep, type StepEffect } from './describe-step.ts';
export { planChange, type PlanStep } from './plan.ts';
export { planTwin, type TwinPlan } from './plan-twin.ts';
export { createInsightStage } from './stages/create-stage.ts';
export { ExportGate } from './stages/export-gate.ts';
export type { InsightStage } from './stages/insight-stage.ts';
export {
  toInsightsDocument,
  type EventMeta,
  type InsightsDocument,
  type ObjectMeta,
  type SkillIds,
} from './stages/insights-document.ts';
export {
  compileSkill,
  usesRegions,
  type CompiledSkill,
  type SkillCamera,
  type SkillInstance,
} from './compile-skill.ts';
export { compileSkills, type CompiledSkills } from './compile-skills.ts';
export { checkSkill, type CheckOptions } from './document/check-skill.ts';
export type { SkillDocument, SkillEdge, SkillNode } from './document/document.ts';
export { toBareSkill, toSymphonySkill, toSymphonyYaml } from './document/export-skill.ts';
export { isFatal, type SkillIssue } from './document/issue.ts';
export { containersOf, type SkillContainer } from './document/containers.ts';
export type { ContainerForm } from './document/nodes/container.ts';
export type { SkillModel } from './document/nodes/node-type.ts';
export { parameterValues, substituteNode, type Parameters } from './document/parameters.ts';
export { parseSkill, parseSkills, type SkillFile, type SymphonyInstance } from './document/parse-skills.ts';
