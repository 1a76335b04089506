import { isDeepStrictEqual } from 'node:util';
import { nodesOf, type SkillGraph, type SourceNode } from './graph.ts';

/**
 * One step from the graphs that run to the graphs that are wanted. Steps name what is touched; everything that no step
 * names goes on without a gap.
 */
export type PlanStep =
  | { readonly action: 'removePipeline'; readonly pipeline: string }
  | { readonly action: 'addPipeline'; readonly pipeline: string }
  | { readonly action: 'removeCamera'; readonly pipeline: string; readonly sensor: string }
  | { readonly action: 'addCamera'; readonly pipeline: string; readonly sensor: string }
  /** The camera is opened again: its address, crop or pace changed. */
  | { readonly action: 'reopenCamera'; readonly pipeline: string; readonly sensor: string; readonly why: string }
  /** Regions apply between two frames. */
  | { readonly action: 'setRegions'; readonly pipeline: string; readonly sensor: string }
  /** The new model loads beside the old one and takes over at a frame boundary; if it fails, the old one stays. */
  | { readonly action: 'swapModel'; readonly pipeline: string }
  /** Tracks start anew. */
  | { readonly action: 'swapTracker'; readonly pipeline: string };

/**
 * What to do to get from `current` to `wanted`. Removals come first, so that nothing is held twice.
 *
 * @returns no steps exactly when both say the same.
 */
export function planChange(current: readonly SkillGraph[], wanted: readonly SkillGraph[]): PlanStep[] {
  const before = new Map(current.map((graph) => [graph.id, graph]));
  const after = new Map(wanted.map((graph) => [graph.id, graph]));
  const removed: PlanStep[] = [...before.keys()]
    .filter((id) => !after.has(id))
    .map((pipeline) => ({ action: 'removePipeline', pipeline }));
  const changed = [...after].flatMap(([pipeline, graph]): PlanStep[] => {
    const old = before.get(pipeline);
    return old ? planPipeline(old, graph) : [{ action: 'addPipeline', pipeline }];
  });
  return [...removed, ...changed];
}

function planPipeline(old: SkillGraph, graph: SkillGraph): PlanStep[] {
  const pipeline = graph.id;
  const steps: PlanStep[] = [];
  const before = new Map(nodesOf(old, 'source').map((source) => [source.sensor, source]));
  const after = new Map(nodesOf(graph, 'source').map((source) => [source.sensor, source]));
  for (const sensor of before.keys()) if (!after.has(sensor)) steps.push({ action: 'removeCamera', pipeline, sensor });

  if (!isDeepStrictEqual(nodesOf(old, 'model'), nodesOf(graph, 'model'))) steps.push({ action: 'swapModel', pipeline });
  if (!isDeepStrictEqual(nodesOf(old, 'tracker'), nodesOf(graph, 'tracker'))) {
    steps.push({ action: 'swapTracker', pipeline });
  }

  for (const [sensor, source] of after) {
    const previous = before.get(sensor);
    if (!previous) {
      steps.push({ action: 'addCamera', pipeline, sensor });
      continue;
    }
    const why = whyReopen(previous, source);
    if (why) steps.push({ action: 'reopenCamera', pipeline, sensor, why });
    if (!isDeepStrictEqual(previous.regions, source.regions)) steps.push({ action: 'setRegions', pipeline, sensor });
  }
  return steps;
}

function whyReopen(before: SourceNode, after: SourceNode): string | undefined {
  if (before.url !== after.url) return 'its address changed';
  if (!isDeepStrictEqual(before.crop, after.crop)) return 'its crop changed';
  if (before.pace !== after.pace || before.loop !== after.loop) return 'how it is played changed';
  return undefined;
}
