import { isDeepStrictEqual } from 'node:util';
import type { GraphEdge } from '@vantage/skill';
import type { EdgeCounters } from '../edge-queue.ts';
import type { BranchNode, CameraGraph } from './camera-graph.ts';
import { NodeLane } from './node-lane.ts';
import type { CameraFrame, GraphStage } from './stage.ts';

export interface GraphRunnerOptions {
  /** Makes what runs a node; started by the runner. */
  readonly createStage: (node: BranchNode, graph: CameraGraph) => GraphStage;
  /** What makes a node another one, which starts anew. Compared deeply. */
  readonly identityOf: (node: BranchNode, graph: CameraGraph) => unknown;
  readonly onProblem: (node: string, reason: string) => void;
}

/** What is known of a node: for reported properties and metrics. */
export interface NodeReport {
  readonly kind: BranchNode['kind'];
  /** Frames that came in and were dropped before, by the node they come from. */
  readonly edges: Readonly<Record<string, EdgeCounters>>;
  /** Of its stage. */
  readonly details: Readonly<Record<string, unknown>>;
}

interface Running {
  readonly node: BranchNode;
  readonly identity: unknown;
  readonly lane: NodeLane;
}

const LOOKS_AT_PIXELS: ReadonlySet<BranchNode['kind']> = new Set(['model', 'custom', 'snippet']);

/**
 * Runs what lies behind the trunk, for one camera: every edge has a bounded queue, every node its own pace, and no branch
 * waits for another, unless the source is a file that is read as fast as its graph can take it.
 */
export class GraphRunner {
  readonly #options: GraphRunnerOptions;
  readonly #running = new Map<string, Running>();
  readonly #failures = new Map<string, string>();
  readonly #stopping = new Set<Promise<void>>();
  #graph: CameraGraph | undefined;
  #children = new Map<string, { readonly id: string; readonly pixels: boolean }[]>();
  #frames = 0;
  #idle: (() => void)[] = [];

  constructor(options: GraphRunnerOptions) {
    this.#options = options;
  }

  get graph(): CameraGraph | undefined {
    return this.#graph;
  }

  /** Whether a node somewhere behind this one looks at pixels. Without an id: any. */
  needsPixels(from?: string): boolean {
    const branches = from === undefined ? [...this.#children.values()].flat() : (this.#children.get(from) ?? []);
    return branches.some(({ pixels }) => pixels);
  }

  accepts(from: string): boolean {
    return this.#children.has(from);
  }

  stageOf(node: string): GraphStage | undefined {
    return this.#running.get(node)?.lane.stage;
  }

  /**
   * Between two frames. Nodes that are as before go on, with all that they know; one whose settings changed is made
   * anew, and frames that wait for it stay.
   */
  use(graph: CameraGraph): void {
    this.#graph = graph;
    const wanted = new Map(graph.nodes.map((node) => [node.id, node]));
    for (const [id, { lane, node }] of this.#running) {
      if (wanted.get(id)?.kind === node.kind) continue;
      this.#running.delete(id);
      this.#end(lane);
    }
    for (const node of graph.nodes) this.#place(node, graph);
    for (const { lane, node } of this.#running.values()) {
      lane.setInputs(graph.edges.filter(({ to }) => to === node.id).map((edge) => edgeFor(edge, graph)));
    }
    this.#children = childrenOf(graph);
  }

  /**
   * A frame that leaves the trunk, or another node. Its picture is only lent. A returned promise means: wait before the
   * next one.
   */
  push(from: string, frame: CameraFrame): void | Promise<void> {
    let held: Promise<void>[] | undefined;
    for (const { id, pixels } of this.#children.get(from) ?? []) {
      const own = pixels || !frame.picture ? frame : { insights: frame.insights };
      const wait = this.#running.get(id)?.lane.push(from, own);
      if (wait) (held ??= []).push(wait);
    }
    if (!held) return undefined;
    return held.length === 1 ? held[0] : Promise.all(held).then(() => undefined);
  }

  /** Another scene. */
  reset(): void {
    for (const { lane } of this.#running.values()) lane.stage.reset?.();
  }

  /** Resolves when no frame is under way any more. */
  async drain(): Promise<void> {
    if (this.#frames > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  report(): Readonly<Record<string, NodeReport>> {
    return Object.fromEntries(
      [...this.#running].map(([id, { node, lane }]): [string, NodeReport] => [
        id,
        { kind: node.kind, edges: Object.fromEntries(lane.edges), details: lane.stage.report?.() ?? {} },
      ]),
    );
  }

  async stop(): Promise<void> {
    this.#children = new Map();
    for (const { lane } of this.#running.values()) this.#end(lane);
    this.#running.clear();
    await Promise.all(this.#stopping);
  }

  #place(node: BranchNode, graph: CameraGraph): void {
    const running = this.#running.get(node.id);
    const identity = this.#options.identityOf(node, graph);
    if (running && isDeepStrictEqual(running.identity, identity)) return;
    const stage = this.#options.createStage(node, graph);
    const lane = running?.lane ?? this.#lane(node.id, stage);
    if (running) lane.use(stage);
    this.#running.set(node.id, { node, identity, lane });
    stage.start?.();
  }

  #lane(id: string, stage: GraphStage): NodeLane {
    return new NodeLane(stage, {
      onFrame: (frame) => this.push(id, frame),
      onError: (reason) => {
        if (this.#failures.get(id) !== reason) this.#options.onProblem(id, reason);
        this.#failures.set(id, reason);
      },
      onCount: (change) => {
        this.#frames += change;
        if (this.#frames === 0) for (const resolve of this.#idle.splice(0)) resolve();
      },
    });
  }

  #end(lane: NodeLane): void {
    const done = lane.stop();
    this.#stopping.add(done);
    void done.finally(() => this.#stopping.delete(done));
  }
}

/** A file that is read as fast as its graph can take it waits; everything else never does unless the graph says so. */
function edgeFor({ from, queue }: GraphEdge, { source }: CameraGraph): Pick<GraphEdge, 'from' | 'queue'> {
  return { from, queue: source.pace === 'asFastAsPossible' ? { ...queue, policy: 'block' } : queue };
}

/** Whether any of its nodes does. */
export function looksAtPixels({ nodes }: Pick<CameraGraph, 'nodes'>): boolean {
  return nodes.some(({ kind }) => LOOKS_AT_PIXELS.has(kind));
}

function childrenOf({ nodes, edges }: CameraGraph): Map<string, { readonly id: string; readonly pixels: boolean }[]> {
  const kinds = new Map(nodes.map(({ id, kind }) => [id, kind]));
  const known = new Map<string, boolean>();
  const looks = (id: string): boolean => {
    const before = known.get(id);
    if (before !== undefined) return before;
    // For the time being: a circle, which no graph that was checked has, must not hang.
    known.set(id, false);
    const kind = kinds.get(id);
    const own = kind !== undefined && LOOKS_AT_PIXELS.has(kind);
    const result = own || edges.some(({ from, to }) => from === id && looks(to));
    known.set(id, result);
    return result;
  };
  const children = new Map<string, { readonly id: string; readonly pixels: boolean }[]>();
  for (const { from, to } of edges) {
    if (!kinds.has(to)) continue;
    children.set(from, [...(children.get(from) ?? []), { id: to, pixels: looks(to) }]);
  }
  return children;
}
