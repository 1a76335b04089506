import type { BranchModel, CameraGraph } from './camera-graph.ts';
import { createStage, identityOf, type StageContext } from './create-stage.ts';
import { GraphRunner, type NodeReport } from './graph-runner.ts';
import { loadStageModules, type StageModules } from './stage-modules.ts';
import type { CameraFrame } from './stage.ts';
import { ModelStage } from './stages/model-stage.ts';

/** How far a frame has come in the trunk. */
export type Tap = keyof CameraGraph['taps'];

/** What lies behind the trunk of a camera: its runner, and the models that its nodes wait for. */
export class Branches {
  readonly #runner: GraphRunner;
  /** Models of nodes that are not there yet. */
  readonly #models = new Map<string, BranchModel>();
  readonly #modules: StageModules = {};
  #graph: CameraGraph;

  constructor(graph: CameraGraph, context: Omit<StageContext, 'regions' | 'modules'>) {
    this.#graph = graph;
    const whole: StageContext = { ...context, modules: this.#modules, regions: () => this.#graph.source.regions };
    this.#runner = new GraphRunner({
      createStage: (node, now) => {
        const stage = createStage(node, now, whole);
        if (stage instanceof ModelStage) stage.use(this.#models.get(node.id));
        this.#models.delete(node.id);
        return stage;
      },
      identityOf,
      onProblem: (node, reason) => context.onProblem('GRAPH_NODE_FAILED', `${node} lost a frame: ${reason}`),
    });
  }

  get graph(): CameraGraph {
    return this.#graph;
  }

  /** Loads what the nodes of a graph need, before `use`. */
  prepare(graph: CameraGraph): Promise<void> {
    return loadStageModules(this.#modules, graph);
  }

  /** Between two frames. The first call starts the nodes. */
  use(graph: CameraGraph): void {
    this.#graph = graph;
    this.#runner.use(graph);
  }

  /** From the next frame on. */
  setModel(node: string, model: BranchModel | undefined): void {
    this.#models.get(node)?.port.close();
    this.#models.delete(node);
    const stage = this.#runner.stageOf(node);
    if (stage instanceof ModelStage) stage.use(model);
    else if (model) this.#models.set(node, model);
  }

  /** Whether something begins there. */
  accepts(tap: Tap): boolean {
    const node = this.#graph.taps[tap];
    return node !== undefined && this.#runner.accepts(node);
  }

  /** Whether somebody looks at pixels of frames that leave there; without a tap: anywhere. */
  needsPixels(tap?: Tap): boolean {
    if (tap === undefined) return this.#runner.needsPixels();
    const node = this.#graph.taps[tap];
    return node !== undefined && this.#runner.needsPixels(node);
  }

  /** The picture is only lent. A returned promise means: wait before the next frame. */
  push(tap: Tap, frame: CameraFrame): void | Promise<void> {
    const node = this.#graph.taps[tap];
    return node === undefined ? undefined : this.#runner.push(node, frame);
  }

  reset(): void {
    this.#runner.reset();
  }

  drain(): Promise<void> {
    return this.#runner.drain();
  }

  report(): Readonly<Record<string, NodeReport>> {
    return this.#runner.report();
  }

  stop(): Promise<void> {
    for (const { port } of this.#models.values()) port.close();
    this.#models.clear();
    return this.#runner.stop();
  }
}
