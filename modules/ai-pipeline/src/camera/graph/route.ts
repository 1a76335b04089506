import {
  nodesOf,
  primaryModel,
  secondaryModels,
  type AnalyticsNode,
  type GraphEdge,
  type GraphNode,
  type ModelNode,
  type SkillGraph,
  type SourceNode,
  type TrackerNode,
} from '@vantage/skill';
import type { BranchNode, CameraGraph } from './camera-graph.ts';

/** The line that goes the fast way: each with what the one before it found. */
export interface Trunk {
  readonly primary?: ModelNode;
  readonly tracker?: TrackerNode;
  readonly secondaries: readonly ModelNode[];
  readonly analytics?: AnalyticsNode;
}

/** A graph as one of its cameras runs it. */
export interface CameraRoute {
  readonly trunk: Trunk;
  /** What lies behind the trunk, without what files say; undefined for a graph of `pipelineConfigs`, which is all trunk. */
  readonly rest?: Pick<CameraGraph, 'taps' | 'nodes' | 'edges' | 'source' | 'skill'>;
}

/**
 * Splits a graph for a camera. A graph of `pipelineConfigs` is one line, whose order the kinds of its nodes give. Of a
 * skill, the line goes on as long as the next node is the trunk's by its kind and has no other parent; what branches off
 * lies behind.
 */
export function routeOf(graph: SkillGraph, source: SourceNode): CameraRoute {
  if (!graph.skill) {
    const primary = primaryModel(graph);
    const [tracker] = nodesOf(graph, 'tracker');
    const [analytics] = nodesOf(graph, 'analytics');
    return { trunk: line(primary, tracker, secondaryModels(graph), analytics) };
  }
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const reached = reach(graph, source.id);
  const edges = graph.edges.filter(({ from, to }) => reached.has(from) && nodes.has(to) && to !== source.id);
  const parents = Map.groupBy(edges, ({ to }) => to);
  const children = (id: string): GraphNode[] =>
    edges.flatMap(({ from, to }) => (from === id && parents.get(to)?.length === 1 ? (nodes.get(to) ?? []) : []));
  const fanOut = (id: string): number => edges.filter(({ from }) => from === id).length;

  const primary = children(source.id).find(isPrimary);
  const tracker = primary && children(primary.id).find((node): node is TrackerNode => node.kind === 'tracker');
  const secondaries: ModelNode[] = [];
  let end: string = tracker?.id ?? primary?.id ?? source.id;
  for (let at: string | undefined = primary && end; at !== undefined;) {
    // Frames leave the trunk before its secondary models, or behind the last.
    const next: ModelNode | undefined =
      secondaries.length === 0 || fanOut(at) === 1 ? children(at).find(isSecondary) : undefined;
    if (next) secondaries.push(next);
    end = next?.id ?? end;
    at = next?.id;
  }
  const [only] = fanOut(end) === 1 ? children(end) : [];
  const analytics = primary && only?.kind === 'analytics' ? only : undefined;
  if (analytics) end = analytics.id;

  const trunk = line(primary, tracker, secondaries, analytics);
  const inTrunk = new Set([source.id, primary?.id, tracker?.id, analytics?.id, ...secondaries.map(({ id }) => id)]);
  const rest = graph.nodes.filter(
    (node): node is BranchNode => node.kind !== 'source' && reached.has(node.id) && !inTrunk.has(node.id),
  );
  const behind = edges.filter(({ to }) => !inTrunk.has(to));
  const leaves = (id: string | undefined): id is string =>
    id !== undefined && id !== end && behind.some(({ from }) => from === id);
  return {
    trunk,
    rest: {
      taps: {
        source: source.id,
        ...(leaves(primary?.id) ? { detected: primary.id } : {}),
        ...(leaves(tracker?.id) ? { tracked: tracker.id } : {}),
        end,
      },
      nodes: rest,
      edges: behind,
      // Where the camera is, is nobody's business behind it.
      source: { ...source, url: '' },
      skill: graph.skill,
    },
  };
}

function line(
  primary: ModelNode | undefined,
  tracker: TrackerNode | undefined,
  secondaries: readonly ModelNode[],
  analytics: AnalyticsNode | undefined,
): Trunk {
  return {
    ...(primary ? { primary } : {}),
    ...(tracker ? { tracker } : {}),
    secondaries,
    ...(analytics ? { analytics } : {}),
  };
}

function isPrimary(node: GraphNode): node is ModelNode {
  return node.kind === 'model' && typeof node.role !== 'object';
}

function isSecondary(node: GraphNode): node is ModelNode {
  return node.kind === 'model' && typeof node.role === 'object';
}

function reach({ edges }: { readonly edges: readonly GraphEdge[] }, start: string): ReadonlySet<string> {
  const reached = new Set([start]);
  // A set that is added to while it is walked: every node once.
  for (const id of reached) for (const { from, to } of edges) if (from === id) reached.add(to);
  return reached;
}
