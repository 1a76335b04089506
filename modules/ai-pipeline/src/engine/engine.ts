import { EventEmitter } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { InferenceBackend, ModelSpec } from '@vantage/inference';
import type { Ffmpeg, HardwareDecode } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import { planChange, type FrameInsights, type ModelNode, type PlanStep, type SkillGraph } from '@vantage/skill';
import type { ExportPost } from '../camera/export/export-stage.ts';
import type { ClipReport, LiveMessage } from '../camera/protocol.ts';
import type { WhyAnswer, WhyQuery } from '../why/why-types.ts';
import { locateHere, type Locate } from './node-files.ts';
import { Pipeline, type PipelineStatus, type Problem, type RecordingOptions } from './pipeline.ts';

export interface EngineOptions {
  readonly ffmpeg: Ffmpeg;
  readonly backend: InferenceBackend;
  readonly resolveModel: (node: ModelNode, signal: AbortSignal) => Promise<ModelSpec>;
  /** Where the other files lie that a graph names. Default: on this machine. */
  readonly locate?: Locate;
  /** Who decodes; software where it cannot. Default: software. */
  readonly hardware?: HardwareDecode;
  readonly recording?: RecordingOptions;
  readonly logger: Logger;
}

export interface EngineEvents {
  /** One per frame that was looked at (of a skill: that an `inference` export admits), in order per camera. */
  insights: [pipeline: string, frame: FrameInsights];
  /** What an export node of a skill sends; those of kind `inference` give `insights`. */
  export: [pipeline: string, post: ExportPost];
  clip: [pipeline: string, clip: ClipReport];
  /** Of cameras that are watched. */
  live: [pipeline: string, sensor: string, message: LiveMessage];
  /** Something about a pipeline's `status()` changed (counters aside). */
  status: [pipeline: string];
  problem: [problem: Problem];
}

/**
 * Runs graphs. A change is a plan of steps from the graphs that run to the graphs that are wanted; what no step names
 * goes on without a gap.
 */
export class Engine extends EventEmitter<EngineEvents> {
  readonly #options: EngineOptions;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #watched = new Set<string>();
  #recording: RecordingOptions | undefined;
  #changes: Promise<unknown> = Promise.resolve();

  constructor(options: EngineOptions) {
    super();
    this.#options = options;
    this.#recording = options.recording;
  }

  /**
   * Changes are applied one after the other. Resolves with the steps when they are under way: models load aside, and
   * what fails is a `problem`.
   */
  apply(graphs: readonly SkillGraph[]): Promise<PlanStep[]> {
    const done = this.#changes.then(() => this.#apply(graphs));
    this.#changes = done.catch(() => undefined);
    return done;
  }

  /** @returns false when no pipeline has this id. */
  record(pipeline: string, on: boolean, reason: string): boolean {
    const found = this.#pipelines.get(pipeline);
    found?.record(on, reason);
    return found !== undefined;
  }

  /** `live` tells a camera's packets while on, also when it comes later or anew. */
  watch(pipeline: string, sensor: string, on: boolean): void {
    const key = watchKey(pipeline, sensor);
    if (on === this.#watched.has(key)) return;
    if (on) this.#watched.add(key);
    else this.#watched.delete(key);
    this.#pipelines.get(pipeline)?.watch(sensor, on);
  }

  /** What runs now. */
  get graphs(): readonly SkillGraph[] {
    return [...this.#pipelines.values()].map(({ graph }) => graph);
  }

  /** What became of a camera's frames. Undefined: this camera is not open. */
  why(query: WhyQuery): Promise<WhyAnswer | undefined> {
    return this.#pipelines.get(query.pipeline)?.why(query) ?? Promise.resolve(undefined);
  }

  /** Applies from the next clip on. */
  setRecording(recording: RecordingOptions): void {
    this.#recording = recording;
    for (const pipeline of this.#pipelines.values()) pipeline.setRecordingOptions(recording);
  }

  status(): PipelineStatus[] {
    return [...this.#pipelines.values()].map((pipeline) => pipeline.status);
  }

  async stop(): Promise<void> {
    await this.#changes;
    await Promise.all([...this.#pipelines.values()].map((pipeline) => pipeline.stop()));
    this.#pipelines.clear();
    await this.#options.backend.stop();
  }

  async #apply(graphs: readonly SkillGraph[]): Promise<PlanStep[]> {
    const current = [...this.#pipelines.values()].map((pipeline) => pipeline.graph);
    const steps = planChange(current, graphs);
    const byPipeline = Map.groupBy(steps, (step) => step.pipeline);
    // Also of one that another takes the name of.
    const removals = steps.filter(({ action }) => action === 'removePipeline');
    await Promise.all(removals.map(({ pipeline }) => this.#remove(pipeline)));
    // Pipelines do not wait for each other: one model's slow download must not hold up another's cameras.
    await Promise.all(
      graphs.map(async (graph) => {
        const own = byPipeline.get(graph.id);
        const running = this.#pipelines.get(graph.id);
        if (!running) return this.#add(graph);
        if (own) return running.apply(graph, own);
        if (isDeepStrictEqual(running.graph, graph)) return;
        // The order of its cameras is no step: nothing of them changes, and who shows them side by side follows.
        await running.apply(graph, []);
        this.emit('status', graph.id);
      }),
    );
    return steps;
  }

  async #remove(id: string): Promise<void> {
    const pipeline = this.#pipelines.get(id);
    this.#pipelines.delete(id);
    await pipeline?.stop();
    this.emit('status', id);
  }

  #add(graph: SkillGraph): void {
    const { ffmpeg, backend, resolveModel, locate = locateHere, hardware, logger } = this.#options;
    const pipeline = new Pipeline(graph, {
      ffmpeg,
      backend,
      resolveModel,
      locate,
      hardware,
      recording: this.#recording,
      logger: logger.child({ pipeline: graph.id }),
      handlers: {
        onInsights: (id, frame) => this.emit('insights', id, frame),
        onExport: (id, post) => this.emit('export', id, post),
        onClip: (id, clip) => this.emit('clip', id, clip),
        onLive: (id, sensor, message) => this.emit('live', id, sensor, message),
        isWatched: (id, sensor) => this.#watched.has(watchKey(id, sensor)),
        onStatus: (id) => this.emit('status', id),
        onProblem: (problem) => this.emit('problem', problem),
      },
    });
    this.#pipelines.set(graph.id, pipeline);
    this.emit('status', graph.id);
    pipeline.start();
  }
}

function watchKey(pipeline: string, sensor: string): string {
  return `${pipeline}\0${sensor}`;
}
