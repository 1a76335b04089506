export { compileComponents, type CompileNote, type CompileResult } from './compile.ts';
export type { FrameInsights } from './frame.ts';
export {
  nextNode,
  nodesOf,
  type ExportNode,
  type GraphEdge,
  type GraphNode,
  type ModelNode,
  type PixelRect,
  type QueuePolicy,
  type RecorderNode,
  type Region,
  type SkillGraph,
  type SourceNode,
  type TrackerNode,
} from './graph.ts';
export { planChange, type PlanStep } from './plan.ts';
