import { VantageError } from '@vantage/contracts';
import { redact } from '@vantage/observability';
import {
  nodesOf,
  primaryModel,
  secondaryModels,
  type ModelNode,
  type PlanStep,
  type SkillGraph,
  type SourceNode,
} from '@vantage/skill';
import { routeOf } from '../camera/graph/route.ts';
import type { WhyAnswer, WhyQuery } from '../why/why-types.ts';
import { PipelineCameras } from './pipeline-cameras.ts';
import { PipelineFiles, type Files } from './pipeline-files.ts';
import { PipelineModels } from './pipeline-models.ts';
import type { PipelineOptions, PipelineStatus, RecordingOptions } from './pipeline-types.ts';
import { ProblemList } from './problem-list.ts';

export type { Problem } from './problem-list.ts';
export type { PipelineHandlers, PipelineOptions, PipelineStatus, RecordingOptions } from './pipeline-types.ts';

/** One pipeline at work: models that its cameras share, and the cameras. A failing part stops itself only. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #cameras: PipelineCameras;
  readonly #models: PipelineModels;
  readonly #files: PipelineFiles;
  readonly #problems: ProblemList;
  #graph: SkillGraph;
  #state: 'loading' | 'running' | 'failed' | 'stopped' = 'loading';

  constructor(graph: SkillGraph, options: PipelineOptions) {
    this.#graph = graph;
    this.#options = options;
    const { backend, resolveModel, locate, ffmpeg, hardware, logger, handlers } = options;
    this.#problems = new ProblemList(graph.id);
    this.#models = new PipelineModels({
      backend,
      resolveModel,
      onTaken: (node) => this.#onTaken(node),
      onProblem: (node, code, message) => {
        this.#openIfComplete();
        if (!this.#isComplete()) this.#state = 'failed';
        this.#problem(code, message, { node });
      },
    });
    this.#files = new PipelineFiles({
      locate,
      onRead: (before) => this.#onFiles(before),
      onProblem: (code, message) => {
        if (!this.#files.current) this.#state = 'failed';
        this.#problem(code, message, { node: 'files' });
      },
    });
    this.#cameras = new PipelineCameras(graph, options.recording, {
      ...{ ffmpeg, hardware, logger, handlers },
      models: this.#models,
      files: () => this.#files.current,
      onProblem: (code, message, sensor) => this.#problem(code, message, { sensor }),
      onStatus: () => handlers.onStatus(this.#graph.id),
    });
  }

  get graph(): SkillGraph {
    return this.#graph;
  }

  get status(): PipelineStatus {
    const model = this.#models.report(primaryModel(this.#graph)?.id);
    const [trackerNode] = nodesOf(this.#graph, 'tracker');
    const tracker = trackerNode && this.#files.current?.trackers.get(trackerNode.id)?.runsAs;
    const cameras = this.#cameras.statuses;
    const isWell = cameras.every(({ counters }) =>
      Object.values(counters.nodes).every(({ details }) => isReady(details)),
    );
    return {
      id: this.#graph.id,
      state: this.#state === 'running' && !isWell ? 'degraded' : this.#state,
      ...(model ? { model } : {}),
      secondaries: secondaryModels(this.#graph).flatMap((node) => {
        const own = this.#models.report(node.id);
        return own ? [{ node: node.id, model: own }] : [];
      }),
      ...(tracker === undefined ? {} : { tracker: typeof tracker === 'string' ? tracker : tracker.runsAs }),
      recording: this.#cameras.isRecording,
      cameras,
      problems: this.#problems.all,
      notes: this.#files.current?.notes ?? [],
    };
  }

  /** Loads the models and opens the cameras, aside: `status` and the handlers tell how far it is. */
  start(): void {
    for (const node of nodesOf(this.#graph, 'model')) void this.#models.load(node);
    void this.#files.read(this.#graph);
  }

  /** Applies the steps of a plan that name this pipeline. */
  async apply(graph: SkillGraph, steps: readonly PlanStep[]): Promise<void> {
    this.#graph = graph;
    const closing = steps.flatMap((step) =>
      step.action === 'removeCamera' || step.action === 'reopenCamera' ? [this.#cameras.close(step.sensor)] : [],
    );
    await Promise.all(closing);
    // What is new in the graph comes when its files and models are there.
    const unused = this.#cameras.use(graph);
    let filesChanged = false;
    for (const step of steps) {
      switch (step.action) {
        case 'swapModel':
        case 'addModel':
          void this.#models.load(this.#modelNode(step.node));
          break;
        case 'removeModel':
          this.#problems.solved(step.node);
          void this.#models.remove(step.node, unused);
          break;
        case 'swapTracker':
        case 'setAnalytics':
        case 'setGraph':
          filesChanged = true;
          break;
        case 'setNode':
          filesChanged ||= step.kind === 'tracker';
          break;
        case 'removeCamera':
          break;
        case 'addCamera':
        case 'reopenCamera':
          if (this.#source(step.sensor).dewarp) filesChanged = true;
          break;
        case 'setPicture':
        case 'setRate':
          this.#cameras.setPicture(step.sensor);
          break;
        case 'setHealth':
          this.#cameras.setHealth(step.sensor);
          break;
        case 'setRegions':
          this.#cameras.setRegions(step.sensor);
          break;
        case 'addPipeline':
        case 'removePipeline':
          throw new VantageError('PLAN_STEP_MISPLACED', `${step.action} is not a step inside a pipeline`);
      }
    }
    if (filesChanged) void this.#files.read(graph);
    // A model that was in the way may be gone.
    else this.#openIfComplete();
  }

  why(query: WhyQuery): Promise<WhyAnswer | undefined> {
    return this.#cameras.why(query);
  }

  record(on: boolean, reason: string): void {
    this.#cameras.record(on, reason);
    this.#options.handlers.onStatus(this.#graph.id);
  }

  watch(sensor: string, on: boolean): void {
    this.#cameras.watch(sensor, on);
  }

  setRecordingOptions(recording: RecordingOptions | undefined): void {
    this.#cameras.setRecordingOptions(recording);
  }

  async stop(): Promise<void> {
    this.#files.stop();
    this.#state = 'stopped';
    await this.#cameras.stop();
    await this.#models.stop();
  }

  #modelNode(id: string): ModelNode {
    const node = nodesOf(this.#graph, 'model').find((one) => one.id === id);
    if (!node) throw new VantageError('PLAN_STEP_MISPLACED', `${this.#graph.id} has no model ${id}`);
    return node;
  }

  #source(sensor: string): SourceNode {
    const source = nodesOf(this.#graph, 'source').find((node) => node.sensor === sensor);
    if (!source) throw new VantageError('PLAN_STEP_MISPLACED', `${this.#graph.id} has no camera ${sensor}`);
    return source;
  }

  async #onTaken(node: string): Promise<void> {
    this.#problems.solved(node);
    const taken = this.#cameras.give(node);
    this.#openIfComplete();
    this.#options.handlers.onStatus(this.#graph.id);
    await taken;
  }

  #onFiles(before: Files | undefined): void {
    this.#problems.solved('files');
    if (before) this.#cameras.useFiles(before);
    this.#openIfComplete();
    this.#options.handlers.onStatus(this.#graph.id);
  }

  /** Whether everything that the cameras need is there. */
  #isComplete(): boolean {
    if (this.#files.current === undefined) return false;
    // One that joins a pipeline that runs joins when it is there.
    if (this.#state === 'running') return true;
    const trunk = new Set(
      nodesOf(this.#graph, 'source').flatMap((source) => {
        const { primary, secondaries } = routeOf(this.#graph, source).trunk;
        return [...(primary ? [primary.id] : []), ...secondaries.map(({ id }) => id)];
      }),
    );
    return nodesOf(this.#graph, 'model').every(
      // Behind the trunk, frames pass a model that cannot be had.
      ({ id }) => this.#models.current(id) !== undefined || (!trunk.has(id) && this.#models.hasFailed(id)),
    );
  }

  #openIfComplete(): void {
    if (this.#state === 'stopped' || !this.#isComplete()) return;
    this.#state = 'running';
    this.#cameras.openAll();
  }

  #problem(code: string, message: string, about: { readonly sensor?: string; readonly node?: string } = {}): void {
    const problem = this.#problems.add(code, redact(message), about);
    this.#options.handlers.onProblem(problem);
    this.#options.handlers.onStatus(this.#graph.id);
  }
}

/** A node that connects to somebody says how far it has come. */
function isReady({ state }: Readonly<Record<string, unknown>>): boolean {
  return state !== 'failed' && state !== 'connecting';
}
