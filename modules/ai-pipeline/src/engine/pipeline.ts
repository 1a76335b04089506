import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import type { InferenceBackend, LoadedModel, ModelReport, ModelSpec } from '@vantage/inference';
import type { Ffmpeg } from '@vantage/media';
import { Backoff, redact, type Logger } from '@vantage/observability';
import {
  nodesOf,
  primaryModel,
  type FrameInsights,
  type ModelNode,
  type PlanStep,
  type SkillGraph,
  type SourceNode,
} from '@vantage/skill';
import type { CameraModel, ClipReport, RecordingSettings } from '../camera/protocol.ts';
import { Camera, type CameraStatus } from './camera.ts';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly pipeline: string;
  readonly sensor?: string;
}

export interface PipelineStatus {
  readonly id: string;
  readonly state: 'loading' | 'running' | 'failed' | 'stopped';
  readonly model?: ModelReport;
  readonly recording: boolean;
  readonly cameras: readonly CameraStatus[];
  readonly problems: readonly Problem[];
}

export interface PipelineOptions {
  readonly ffmpeg: Ffmpeg;
  readonly backend: InferenceBackend;
  /** Fetches, unpacks and reads what a model node names. */
  readonly resolveModel: (node: ModelNode, signal: AbortSignal) => Promise<ModelSpec>;
  /** Undefined: this engine does not record. */
  readonly recording: RecordingOptions | undefined;
  readonly logger: Logger;
  readonly handlers: PipelineHandlers;
}

export interface RecordingOptions {
  readonly folder: string;
  readonly preRollSeconds: number;
  readonly clipSeconds: number;
  readonly autoStopSeconds: number;
}

export interface PipelineHandlers {
  readonly onInsights: (pipeline: string, frame: FrameInsights) => void;
  readonly onClip: (pipeline: string, clip: ClipReport) => void;
  readonly onStatus: (pipeline: string) => void;
  readonly onProblem: (problem: Problem) => void;
}

/** Errors that time may heal: the model is asked for again. */
const RETRYABLE = new Set(['MODEL_DOWNLOAD_FAILED', 'INFERENCE_WORKER_DIED']);
const MAX_PROBLEMS = 20;

/** One pipeline at work: a model that its cameras share, and the cameras. A failing part stops itself only. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #cameras = new Map<string, Camera>();
  readonly #restarts = new Map<string, Backoff>();
  readonly #problems: Problem[] = [];
  readonly #stopped = new AbortController();
  #graph: SkillGraph;
  #recordingOptions: RecordingOptions | undefined;
  #state: PipelineStatus['state'] = 'loading';
  #model: { loaded: LoadedModel; spec: ModelSpec } | undefined;
  #modelAttempt = new AbortController();
  readonly #modelRestarts = new Backoff({ baseMs: 1000, capMs: 60_000 });
  #recording: { on: boolean; reason: string } = { on: false, reason: '' };

  constructor(graph: SkillGraph, options: PipelineOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#recordingOptions = options.recording;
  }

  get graph(): SkillGraph {
    return this.#graph;
  }

  get status(): PipelineStatus {
    return {
      id: this.#graph.id,
      state: this.#state,
      ...(this.#model ? { model: this.#model.loaded.report } : {}),
      recording: this.#recording.on,
      cameras: [...this.#cameras.values()].map((camera) => camera.status),
      problems: this.#problems,
    };
  }

  /** Loads the model and opens the cameras, aside: `status` and the handlers tell how far it is. */
  start(): void {
    this.#loadModel();
  }

  /** Applies the steps of a plan that name this pipeline. */
  async apply(graph: SkillGraph, steps: readonly PlanStep[]): Promise<void> {
    this.#graph = graph;
    for (const step of steps) {
      switch (step.action) {
        case 'removeCamera':
          await this.#closeCamera(step.sensor);
          break;
        case 'swapModel':
        case 'addModel':
        case 'removeModel':
          if (
            !graph.nodes.some((node) => node.id === step.node && node.kind === 'model' && typeof node.role === 'object')
          )
            this.#loadModel();
          break;
        case 'swapTracker':
          for (const camera of this.#cameras.values()) camera.setTracker(this.#tracks());
          break;
        case 'addCamera':
          this.#openCamera(this.#source(step.sensor));
          break;
        case 'setPicture':
        case 'reopenCamera':
          await this.#closeCamera(step.sensor);
          this.#openCamera(this.#source(step.sensor));
          break;
        case 'setRegions':
          this.#cameras.get(step.sensor)?.setRegions(this.#source(step.sensor).regions);
          break;
        case 'addPipeline':
        case 'removePipeline':
          throw new VantageError('PLAN_STEP_MISPLACED', `${step.action} is not a step inside a pipeline`);
      }
    }
    // The number of cameras decides whether clip names carry the sensor's.
    this.setRecordingOptions(this.#recordingOptions);
  }

  record(on: boolean, reason: string): void {
    this.#recording = { on, reason };
    for (const camera of this.#cameras.values()) camera.record(on, reason);
    this.#options.handlers.onStatus(this.#graph.id);
  }

  setRecordingOptions(recording: RecordingOptions | undefined): void {
    this.#recordingOptions = recording;
    const settings = this.#recordingSettings();
    if (settings) for (const camera of this.#cameras.values()) camera.setRecordingSettings(settings);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#modelAttempt.abort();
    this.#state = 'stopped';
    await Promise.all([...this.#cameras.keys()].map((sensor) => this.#closeCamera(sensor)));
    await this.#model?.loaded.unload();
    this.#model = undefined;
  }

  /** The new model loads beside the old one; if it cannot be had, the old one goes on and the problem is reported. */
  #loadModel(): void {
    this.#modelAttempt.abort();
    const attempt = new AbortController();
    this.#modelAttempt = attempt;
    const node = primaryModel(this.#graph);
    const done = node ? this.#tryModel(node, attempt.signal) : this.#takeModel(undefined);
    done.catch((error: unknown) => this.#problem('MODEL_LOAD_FAILED', messageOf(error)));
  }

  async #tryModel(node: ModelNode, signal: AbortSignal): Promise<void> {
    const { resolveModel, backend } = this.#options;
    const backoff = new Backoff({ baseMs: 2000, capMs: 60_000 });
    do {
      try {
        const spec = await resolveModel(node, signal);
        const loaded = await backend.load(spec);
        if (signal.aborted) await loaded.unload();
        else await this.#takeModel({ loaded, spec });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!this.#model) this.#state = 'failed';
        const kept = this.#model ? '; the model that ran before goes on' : '';
        const code = codeOf(error) ?? 'MODEL_LOAD_FAILED';
        this.#problem(code, `${messageOf(error)}${kept}`);
        if (!RETRYABLE.has(code)) return;
      }
    } while (await backoff.wait(signal));
  }

  async #takeModel(next: { loaded: LoadedModel; spec: ModelSpec } | undefined): Promise<void> {
    const old = this.#model;
    this.#model = next;
    if (next) void next.loaded.died.then((error) => this.#reviveModel(next.loaded, error));
    this.#state = 'running';
    this.#problems.length = 0;
    for (const source of nodesOf(this.#graph, 'source')) {
      const camera = this.#cameras.get(source.sensor);
      if (camera) camera.setModel(this.#cameraModel());
      else this.#openCamera(source);
    }
    this.#options.handlers.onStatus(this.#graph.id);
    await old?.loaded.unload();
  }

  /** A session ended by itself: its cameras wait for the same model, loaded anew. */
  async #reviveModel(dead: LoadedModel, error: VantageError): Promise<void> {
    if (this.#model?.loaded !== dead || this.#stopped.signal.aborted) return;
    this.#problem(error.code, `${error.message}; it is loaded again`);
    const wanted = await this.#modelRestarts.wait(this.#stopped.signal);
    if (wanted && this.#model?.loaded === dead) this.#loadModel();
  }

  #cameraModel(): CameraModel | undefined {
    if (!this.#model) return undefined;
    const { loaded, spec } = this.#model;
    return {
      port: loaded.connect(),
      network: loaded.report.network,
      keepAspect: spec.infer.maintainAspectRatio,
      labels: spec.labels,
      componentId: spec.infer.gieUniqueId,
      interval: spec.infer.interval,
    };
  }

  #source(sensor: string): SourceNode {
    const source = nodesOf(this.#graph, 'source').find((node) => node.sensor === sensor);
    if (!source) throw new VantageError('PLAN_STEP_MISPLACED', `${this.#graph.id} has no camera ${sensor}`);
    return source;
  }

  #tracks(): boolean {
    return nodesOf(this.#graph, 'tracker').length > 0;
  }

  #recordingSettings(): RecordingSettings | undefined {
    if (!this.#recordingOptions) return undefined;
    const [recorder] = nodesOf(this.#graph, 'recorder');
    if (!recorder) return undefined;
    return {
      ...this.#recordingOptions,
      prefix: recorder.prefix,
      pipelineId: this.#graph.id,
      sensorSuffix: nodesOf(this.#graph, 'source').length > 1,
    };
  }

  #openCamera(source: SourceNode): void {
    // Until the model is there (or has failed for good) a camera would not know what size of picture to ask for.
    if (this.#state === 'loading' || this.#state === 'failed' || this.#stopped.signal.aborted) return;
    const { sensor, url, crop, pace, loop, regions } = source;
    const recording = this.#recordingSettings();
    const { handlers, logger, ffmpeg } = this.#options;
    const camera = new Camera(
      {
        sensor,
        url,
        ...(crop ? { crop } : {}),
        pace,
        loop,
        ffmpeg,
        track: this.#tracks(),
        ...(recording ? { recording } : {}),
        regions,
      },
      {
        onInsights: (frame) => handlers.onInsights(this.#graph.id, frame),
        onStatus: (_status, changed) => {
          if (changed !== 'counters') handlers.onStatus(this.#graph.id);
        },
        onClip: (clip) => handlers.onClip(this.#graph.id, clip),
        onProblem: (code, message) => this.#problem(code, message, sensor),
        onCrash: (reason) => this.#restartCamera(sensor, reason),
      },
      logger,
    );
    this.#cameras.set(sensor, camera);
    camera.open(this.#cameraModel());
    if (this.#recording.on) camera.record(true, this.#recording.reason);
  }

  async #closeCamera(sensor: string): Promise<void> {
    const camera = this.#cameras.get(sensor);
    this.#cameras.delete(sensor);
    this.#restarts.delete(sensor);
    await camera?.stop();
  }

  #restartCamera(sensor: string, reason: string): void {
    this.#cameras.delete(sensor);
    this.#problem('CAMERA_THREAD_DIED', `camera ${sensor}: ${reason}; it is started again`, sensor);
    const backoff = this.#restarts.get(sensor) ?? new Backoff({ baseMs: 1000, capMs: 60_000 });
    this.#restarts.set(sensor, backoff);
    void backoff.wait(this.#stopped.signal).then((stillWanted) => {
      const source = nodesOf(this.#graph, 'source').find((node) => node.sensor === sensor);
      if (stillWanted && source && !this.#cameras.has(sensor)) this.#openCamera(source);
    });
  }

  #problem(code: string, message: string, sensor?: string): void {
    const problem: Problem = {
      code,
      message: redact(message),
      pipeline: this.#graph.id,
      ...(sensor === undefined ? {} : { sensor }),
    };
    this.#problems.push(problem);
    if (this.#problems.length > MAX_PROBLEMS) this.#problems.shift();
    this.#options.handlers.onProblem(problem);
    this.#options.handlers.onStatus(this.#graph.id);
  }
}
