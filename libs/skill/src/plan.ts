import { isDeepStrictEqual } from 'node:util';
import { nodesOf, primaryModel, secondaryModels, type ModelNode, type SkillGraph, type SourceNode } from './graph.ts';

/**
 * One step from the graphs that run to the graphs that are wanted. Steps name what is touched; everything that no step
 * names goes on without a gap.
 */
export type PlanStep =
  | { readonly action: 'removePipeline'; readonly pipeline: string }
  | { readonly action: 'addPipeline'; readonly pipeline: string }
  | { readonly action: 'removeCamera'; readonly pipeline: string; readonly sensor: string }
  | { readonly action: 'addCamera'; readonly pipeline: string; readonly sensor: string }
  /** The camera is opened again: its address or how it is played changed. */
  | { readonly action: 'reopenCamera'; readonly pipeline: string; readonly sensor: string; readonly why: string }
  /** Other pictures of the same stream (crop, dewarp): they take over between two frames. */
  | { readonly action: 'setPicture'; readonly pipeline: string; readonly sensor: string; readonly why: string }
  /** Regions apply between two frames. */
  | { readonly action: 'setRegions'; readonly pipeline: string; readonly sensor: string }
  /** The new model loads beside the old one and takes over at a frame boundary; if it fails, the old one stays. */
  | { readonly action: 'swapModel'; readonly pipeline: string; readonly node: string; readonly why: string }
  /** Joins the cascade when it is loaded. */
  | { readonly action: 'addModel'; readonly pipeline: string; readonly node: string }
  | { readonly action: 'removeModel'; readonly pipeline: string; readonly node: string }
  /** Tracks start anew. */
  | { readonly action: 'swapTracker'; readonly pipeline: string; readonly why: string }
  /** Other rules; they count anew. */
  | { readonly action: 'setAnalytics'; readonly pipeline: string };

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

  steps.push(...planModels(old, graph));
  const [tracker] = nodesOf(graph, 'tracker');
  const [oldTracker] = nodesOf(old, 'tracker');
  if (!isDeepStrictEqual(oldTracker, tracker)) {
    const why = tracker ? (oldTracker ? 'another tracker is named' : 'a tracker is named') : 'no tracker is named';
    steps.push({ action: 'swapTracker', pipeline, why });
  }

  if (!isDeepStrictEqual(nodesOf(old, 'analytics'), nodesOf(graph, 'analytics'))) {
    steps.push({ action: 'setAnalytics', pipeline });
  }

  for (const [sensor, source] of after) {
    const previous = before.get(sensor);
    if (!previous) {
      steps.push({ action: 'addCamera', pipeline, sensor });
      continue;
    }
    const why = whyReopen(previous, source);
    if (why) steps.push({ action: 'reopenCamera', pipeline, sensor, why });
    else {
      const picture = whyOtherPicture(previous, source);
      if (picture) steps.push({ action: 'setPicture', pipeline, sensor, why: picture });
    }
    if (!isDeepStrictEqual(previous.regions, source.regions)) steps.push({ action: 'setRegions', pipeline, sensor });
  }
  return steps;
}

function planModels(old: SkillGraph, graph: SkillGraph): PlanStep[] {
  const pipeline = graph.id;
  const before = new Map(modelsOf(old).map((node) => [node.id, node]));
  const after = new Map(modelsOf(graph).map((node) => [node.id, node]));
  const steps: PlanStep[] = [];
  for (const node of before.keys()) if (!after.has(node)) steps.push({ action: 'removeModel', pipeline, node });
  for (const [node, model] of after) {
    const previous = before.get(node);
    if (!previous) steps.push({ action: 'addModel', pipeline, node });
    else if (!isDeepStrictEqual(previous, model)) {
      steps.push({ action: 'swapModel', pipeline, node, why: whySwap(previous, model) });
    }
  }
  return steps;
}

function modelsOf(graph: SkillGraph): ModelNode[] {
  const primary = primaryModel(graph);
  return [...(primary ? [primary] : []), ...secondaryModels(graph)];
}

function whySwap(before: ModelNode, after: ModelNode): string {
  if (!isDeepStrictEqual(before.package, after.package)) return 'its package changed';
  if (before.configFile !== after.configFile) return 'another configuration file is named';
  return 'another parser is named';
}

function whyReopen(before: SourceNode, after: SourceNode): string | undefined {
  if (before.url !== after.url) return 'its address changed';
  if (before.pace !== after.pace || before.loop !== after.loop) return 'how it is played changed';
  // With another lens the recorded stream is another one.
  if (!isDeepStrictEqual(before.dewarp, after.dewarp)) return 'its dewarping changed';
  return undefined;
}

function whyOtherPicture(before: SourceNode, after: SourceNode): string | undefined {
  return isDeepStrictEqual(before.crop, after.crop) ? undefined : 'its crop changed';
}
