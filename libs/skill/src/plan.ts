import { isDeepStrictEqual } from 'node:util';
import { nodesOf, type GraphNode, type ModelNode, type SkillGraph, type SourceNode } from './graph.ts';

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
  | { readonly action: 'setAnalytics'; readonly pipeline: string }
  /** Another number of frames a second: between two frames. */
  | { readonly action: 'setRate'; readonly pipeline: string; readonly sensor: string }
  /** Its view is watched otherwise. */
  | { readonly action: 'setHealth'; readonly pipeline: string; readonly sensor: string }
  /** Nodes or edges behind the models came or went: the others keep what they know, and no camera is opened again. */
  | { readonly action: 'setGraph'; readonly pipeline: string }
  /** Other settings of one node, between two frames; somebody's code behind gRPC is called anew. Never beside `setGraph`. */
  | { readonly action: 'setNode'; readonly pipeline: string; readonly node: string; readonly kind: GraphNode['kind'] };

/**
 * What to do to get from `current` to `wanted`. Removals come first, so that nothing is held twice.
 *
 * @returns no steps exactly when both say the same.
 */
export function planChange(current: readonly SkillGraph[], wanted: readonly SkillGraph[]): PlanStep[] {
  const before = new Map(current.map((graph) => [graph.id, graph]));
  const after = new Map(wanted.map((graph) => [graph.id, graph]));
  const goesOn = (id: string): boolean => isDeepStrictEqual(before.get(id)?.skill, after.get(id)?.skill);
  const removed: PlanStep[] = [...before.keys()]
    .filter((id) => !after.has(id) || !goesOn(id))
    .map((pipeline) => ({ action: 'removePipeline', pipeline }));
  const changed = [...after].flatMap(([pipeline, graph]): PlanStep[] => {
    const old = before.get(pipeline);
    return old && goesOn(pipeline) ? planPipeline(old, graph) : [{ action: 'addPipeline', pipeline }];
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
  steps.push(...planNodes(old, graph));

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
      if (previous.maxFps !== source.maxFps) steps.push({ action: 'setRate', pipeline, sensor });
      if (!isDeepStrictEqual(previous.health, source.health)) steps.push({ action: 'setHealth', pipeline, sensor });
    }
    if (!isDeepStrictEqual(previous.regions, source.regions)) steps.push({ action: 'setRegions', pipeline, sensor });
  }
  return steps;
}

function planModels(old: SkillGraph, graph: SkillGraph): PlanStep[] {
  const pipeline = graph.id;
  const before = new Map(nodesOf(old, 'model').map((node) => [node.id, node]));
  const after = new Map(nodesOf(graph, 'model').map((node) => [node.id, node]));
  const steps: PlanStep[] = [];
  for (const node of before.keys()) if (!after.has(node)) steps.push({ action: 'removeModel', pipeline, node });
  for (const [node, model] of after) {
    const previous = before.get(node);
    if (!previous) steps.push({ action: 'addModel', pipeline, node });
    else if (!isDeepStrictEqual(withoutOrder(previous), withoutOrder(model))) {
      steps.push({ action: 'swapModel', pipeline, node, why: whySwap(previous, model) });
    }
  }
  return steps;
}

/** Its place among the models that look at objects follows from the nodes and edges. */
function withoutOrder({ role, ...node }: ModelNode): unknown {
  return { ...node, onObjects: typeof role === 'object' };
}

function whySwap(before: ModelNode, after: ModelNode): string {
  if (!isDeepStrictEqual(before.package, after.package)) return 'its package changed';
  if (before.configFile !== after.configFile) return 'another configuration file is named';
  if (typeof before.role !== typeof after.role) {
    return `it looks at ${typeof after.role === 'object' ? 'objects' : 'frames'} now`;
  }
  return 'another parser is named';
}

/** Kinds that steps of their own tell about. */
const OWN_STEPS: ReadonlySet<GraphNode['kind']> = new Set(['source', 'model', 'analytics']);

/** What comes behind the models. Graphs of `pipelineConfigs` have one shape, which the other steps tell all about. */
function planNodes(old: SkillGraph, graph: SkillGraph): PlanStep[] {
  if (!graph.skill) return [];
  const pipeline = graph.id;
  if (!isDeepStrictEqual(shapeOf(old), shapeOf(graph))) return [{ action: 'setGraph', pipeline }];
  const before = new Map(old.nodes.map((node) => [node.id, node]));
  const [tracker] = nodesOf(graph, 'tracker');
  return graph.nodes
    .filter((node) => !OWN_STEPS.has(node.kind) && node.id !== tracker?.id)
    .filter((node) => !isDeepStrictEqual(before.get(node.id), node))
    .map(({ id, kind }) => ({ action: 'setNode', pipeline, node: id, kind }));
}

/** Cameras come and go by steps of their own, so all of them are one here, and their queues are theirs. */
function shapeOf({ nodes, edges }: SkillGraph): unknown {
  const cameras = new Set(nodes.filter(({ kind }) => kind === 'source').map(({ id }) => id));
  const links = edges.map(({ from, to, queue }) =>
    cameras.has(from) ? `camera>${to}` : `${JSON.stringify([from, to])} ${queue.policy} ${queue.capacity}`,
  );
  return {
    nodes: nodes.filter(({ kind }) => kind !== 'source').map(({ kind, id }) => `${kind} ${id}`),
    links: [...new Set(links)],
  };
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
