import { VantageError, codeOf, messageOf } from '@vantage/contracts';
import type { AnalyticsSpec } from '@vantage/deepstream';
import type { InferenceBackend, ModelReport, ModelSpec } from '@vantage/inference';
import type { Dewarp, Ffmpeg, HardwareDecode } from '@vantage/media';
import { Backoff, redact, type Logger } from '@vantage/observability';
import {
  nodesOf,
  primaryModel,
  secondaryModels,
  type FrameInsights,
  type ModelNode,
  type PlanStep,
  type SkillGraph,
  type SourceNode,
} from '@vantage/skill';
import type { AnalyticsSetup, ClipReport, RecordingSettings, TrackerSetup } from '../camera/protocol.ts';
import { cameraModel, cameraSecondary } from './camera-models.ts';
import { Camera, type CameraStatus } from './camera.ts';
import { ModelSlot } from './model-slot.ts';
import { resolveAnalytics, resolveDewarp, resolveTracker, type Locate } from './node-files.ts';
import { ProblemList, type Problem } from './problem-list.ts';

export type { Problem } from './problem-list.ts';

export interface PipelineStatus {
  readonly id: string;
  readonly state: 'loading' | 'running' | 'failed' | 'stopped';
  /** The primary. */
  readonly model?: ModelReport;
  /** By node, in the order of the cascade; those that run. */
  readonly secondaries: readonly { readonly node: string; readonly model: ModelReport }[];
  readonly tracker?: string;
  readonly recording: boolean;
  readonly cameras: readonly CameraStatus[];
  readonly problems: readonly Problem[];
  /** What is done otherwise than the files ask for. */
  readonly notes: readonly string[];
}

export interface PipelineOptions {
  readonly ffmpeg: Ffmpeg;
  readonly backend: InferenceBackend;
  /** Fetches, unpacks and reads what a model node names. */
  readonly resolveModel: (node: ModelNode, signal: AbortSignal) => Promise<ModelSpec>;
  readonly locate: Locate;
  /** Who decodes; software where it cannot. */
  readonly hardware?: HardwareDecode | undefined;
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

/** Files of the twin that are not models, read. */
interface Files {
  readonly tracker: TrackerSetup | undefined;
  readonly analytics: AnalyticsSpec | undefined;
  readonly dewarps: ReadonlyMap<string, Dewarp>;
  readonly notes: readonly string[];
}

/** One pipeline at work: models that its cameras share, and the cameras. A failing part stops itself only. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #cameras = new Map<string, Camera>();
  readonly #restarts = new Map<string, Backoff>();
  /** Cameras that are started again after a pause. */
  readonly #pausing = new Set<string>();
  readonly #slots = new Map<string, ModelSlot>();
  readonly #problems: ProblemList;
  readonly #stopped = new AbortController();
  #graph: SkillGraph;
  #files: Files | undefined;
  #reading = new AbortController();
  #recordingOptions: RecordingOptions | undefined;
  #state: PipelineStatus['state'] = 'loading';
  #recording: { on: boolean; reason: string } = { on: false, reason: '' };

  constructor(graph: SkillGraph, options: PipelineOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#recordingOptions = options.recording;
    this.#problems = new ProblemList(graph.id);
  }

  get graph(): SkillGraph {
    return this.#graph;
  }

  get status(): PipelineStatus {
    const report = (node: ModelNode | undefined): ModelReport | undefined =>
      node && this.#slots.get(node.id)?.current?.loaded.report;
    const model = report(primaryModel(this.#graph));
    const tracker = this.#files?.tracker?.runsAs;
    return {
      id: this.#graph.id,
      state: this.#state,
      ...(model ? { model } : {}),
      secondaries: secondaryModels(this.#graph).flatMap((node) => {
        const own = report(node);
        return own ? [{ node: node.id, model: own }] : [];
      }),
      ...(tracker === undefined ? {} : { tracker: typeof tracker === 'string' ? tracker : tracker.runsAs }),
      recording: this.#recording.on,
      cameras: [...this.#cameras.values()].map((camera) => camera.status),
      problems: this.#problems.all,
      notes: this.#files?.notes ?? [],
    };
  }

  /** Loads the models and opens the cameras, aside: `status` and the handlers tell how far it is. */
  start(): void {
    for (const node of nodesOf(this.#graph, 'model')) void this.#loadModel(node);
    void this.#readFiles();
  }

  /** Applies the steps of a plan that name this pipeline. */
  async apply(graph: SkillGraph, steps: readonly PlanStep[]): Promise<void> {
    this.#graph = graph;
    let filesChanged = false;
    for (const step of steps) {
      switch (step.action) {
        case 'removeCamera':
          await this.#closeCamera(step.sensor);
          break;
        case 'swapModel':
        case 'addModel':
          void this.#loadModel(this.#modelNode(step.node));
          break;
        case 'removeModel':
          void this.#removeModel(step.node);
          break;
        case 'swapTracker':
        case 'setAnalytics':
          filesChanged = true;
          break;
        case 'addCamera':
          if (this.#source(step.sensor).dewarp) filesChanged = true;
          else this.#openCamera(this.#source(step.sensor));
          break;
        case 'reopenCamera':
          await this.#closeCamera(step.sensor);
          if (this.#source(step.sensor).dewarp) filesChanged = true;
          else this.#openCamera(this.#source(step.sensor));
          break;
        case 'setPicture':
          this.#cameras.get(step.sensor)?.setCrop(this.#source(step.sensor).crop);
          break;
        case 'setRegions':
          this.#cameras.get(step.sensor)?.setRegions(this.#source(step.sensor).regions);
          break;
        case 'setRate':
        case 'setGraph':
        case 'setNode':
          break;
        case 'addPipeline':
        case 'removePipeline':
          throw new VantageError('PLAN_STEP_MISPLACED', `${step.action} is not a step inside a pipeline`);
      }
    }
    // The number of cameras decides whether clip names carry the sensor's.
    this.setRecordingOptions(this.#recordingOptions);
    if (filesChanged) void this.#readFiles();
    // A model that was in the way may be gone.
    else this.#openIfComplete();
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
    this.#reading.abort();
    this.#state = 'stopped';
    await Promise.all([...this.#cameras.keys()].map((sensor) => this.#closeCamera(sensor)));
    await Promise.all([...this.#slots.values()].map((slot) => slot.stop()));
    this.#slots.clear();
  }

  #modelNode(id: string): ModelNode {
    const node = nodesOf(this.#graph, 'model').find((one) => one.id === id);
    if (!node) throw new VantageError('PLAN_STEP_MISPLACED', `${this.#graph.id} has no model ${id}`);
    return node;
  }

  /** The new model loads beside the old one; if it cannot be had, the old one goes on and the problem is reported. */
  async #loadModel(node: ModelNode): Promise<void> {
    let slot = this.#slots.get(node.id);
    if (!slot) {
      const { resolveModel, backend } = this.#options;
      slot = new ModelSlot(node, {
        resolveModel,
        backend,
        onTaken: () => this.#onTaken(node.id),
        onProblem: (code, message) => {
          if (!this.#isComplete()) this.#state = 'failed';
          this.#problem(code, message, { node: node.id });
        },
      });
      this.#slots.set(node.id, slot);
    }
    await slot.load(node);
  }

  async #onTaken(node: string): Promise<void> {
    this.#problems.solved(node);
    const cameras = [...this.#cameras.values()];
    const taken = cameras.map((camera) => this.#give(camera, node));
    this.#openIfComplete();
    this.#options.handlers.onStatus(this.#graph.id);
    await Promise.all(taken);
  }

  #give(camera: Camera, id: string): Promise<void> {
    const running = this.#slots.get(id)?.current;
    if (primaryModel(this.#graph)?.id === id) return camera.setModel(running && cameraModel(running));
    const order = secondaryModels(this.#graph).findIndex((node) => node.id === id);
    return camera.setSecondary(id, running && order >= 0 ? cameraSecondary(id, order, running) : undefined);
  }

  async #removeModel(id: string): Promise<void> {
    const slot = this.#slots.get(id);
    this.#slots.delete(id);
    this.#problems.solved(id);
    const isPrimary =
      id === primaryModel(this.#graph)?.id || (slot !== undefined && typeof slot.node.role !== 'object');
    const cameras = [...this.#cameras.values()];
    await Promise.all(
      cameras.map((camera) => (isPrimary ? camera.setModel(undefined) : camera.setSecondary(id, undefined))),
    );
    await slot?.stop();
  }

  /** Tracker and dewarper files. Those that were read before stay if the new ones cannot be used. */
  async #readFiles(): Promise<void> {
    this.#reading.abort();
    const { signal } = (this.#reading = new AbortController());
    const { locate } = this.#options;
    const backoff = new Backoff({ baseMs: 2000, capMs: 60_000 });
    do {
      try {
        const sources = nodesOf(this.#graph, 'source');
        const [analytics, tracker, ...dewarps] = await Promise.all([
          resolveAnalytics(nodesOf(this.#graph, 'analytics')[0], locate, signal),
          resolveTracker(nodesOf(this.#graph, 'tracker')[0], locate, signal),
          ...sources.map((source) => resolveDewarp(source, locate, signal)),
        ]);
        if (signal.aborted) return;
        this.#useFiles({
          tracker: tracker.value,
          analytics,
          dewarps: new Map(
            sources.flatMap(({ sensor }, at) => {
              const dewarp = dewarps[at]?.value;
              return dewarp ? [[sensor, dewarp] as const] : [];
            }),
          ),
          notes: [tracker, ...dewarps].flatMap(({ notes }) => notes),
        });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!this.#files) this.#state = 'failed';
        const code = codeOf(error) ?? 'CONFIG_FILE_UNREADABLE';
        this.#problem(code, `${messageOf(error)}${this.#files ? '; what ran before goes on' : ''}`, { node: 'files' });
        if (code !== 'MODEL_DOWNLOAD_FAILED') return;
      }
    } while (await backoff.wait(signal));
  }

  #useFiles(files: Files): void {
    const before = this.#files;
    this.#files = files;
    this.#problems.solved('files');
    if (before && JSON.stringify(before.tracker) !== JSON.stringify(files.tracker)) {
      for (const camera of this.#cameras.values()) camera.setTracker(files.tracker);
    }
    if (before && JSON.stringify(before.analytics) !== JSON.stringify(files.analytics)) {
      for (const [sensor, camera] of this.#cameras) camera.setAnalytics(this.#analyticsFor(sensor));
    }
    this.#openIfComplete();
    this.#options.handlers.onStatus(this.#graph.id);
  }

  /** Rules name cameras by their number in the pipeline. */
  #analyticsFor(sensor: string): AnalyticsSetup | undefined {
    const spec = this.#files?.analytics;
    const stream = nodesOf(this.#graph, 'source').findIndex((source) => source.sensor === sensor);
    return spec && { spec, stream };
  }

  /** Whether everything that the cameras need is there. */
  #isComplete(): boolean {
    return (
      this.#files !== undefined &&
      nodesOf(this.#graph, 'model').every(
        // One that joins a pipeline that runs joins when it is there.
        ({ id }) => this.#state === 'running' || this.#slots.get(id)?.current !== undefined,
      )
    );
  }

  #openIfComplete(): void {
    if (this.#stopped.signal.aborted || !this.#isComplete()) return;
    this.#state = 'running';
    for (const source of nodesOf(this.#graph, 'source'))
      if (!this.#cameras.has(source.sensor) && !this.#pausing.has(source.sensor)) this.#openCamera(source);
  }

  #source(sensor: string): SourceNode {
    const source = nodesOf(this.#graph, 'source').find((node) => node.sensor === sensor);
    if (!source) throw new VantageError('PLAN_STEP_MISPLACED', `${this.#graph.id} has no camera ${sensor}`);
    return source;
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
    // Until the models are there a camera would not know what size of picture to ask for.
    if (this.#state !== 'running') return;
    const { sensor, url, crop, pace, loop, regions, id } = source;
    const dewarp = this.#files?.dewarps.get(sensor);
    if (source.dewarp && !dewarp && this.#files === undefined) return;
    const tracker = this.#files?.tracker;
    const analytics = this.#analyticsFor(sensor);
    const recording = this.#recordingSettings();
    const { handlers, logger, ffmpeg, hardware } = this.#options;
    const policy = pace === 'realtime' ? ('latest' as const) : ('block' as const);
    const camera = new Camera(
      {
        sensor,
        url,
        ...(dewarp ? { dewarp } : {}),
        ...(crop ? { crop } : {}),
        ...(hardware ? { hardware: { ...hardware, ...this.#device(hardware) } } : {}),
        pace,
        loop,
        ffmpeg,
        ...(tracker ? { tracker } : {}),
        ...(analytics ? { analytics } : {}),
        queue: this.#graph.edges.find(({ from }) => from === id)?.queue ?? { capacity: 1, policy },
        ...(recording ? { recording } : {}),
        regions,
      },
      {
        onInsights: (frame) => handlers.onInsights(this.#graph.id, frame),
        onStatus: (_status, changed) => {
          if (changed !== 'counters') handlers.onStatus(this.#graph.id);
        },
        onClip: (clip) => handlers.onClip(this.#graph.id, clip),
        onProblem: (code, message) => this.#problem(code, message, { sensor }),
        onCrash: (reason) => this.#restartCamera(sensor, reason),
      },
      logger,
    );
    this.#cameras.set(sensor, camera);
    const primary = this.#slots.get(primaryModel(this.#graph)?.id ?? '')?.current;
    const secondaries = secondaryModels(this.#graph).flatMap((node, order) => {
      const running = this.#slots.get(node.id)?.current;
      return running ? [cameraSecondary(node.id, order, running)] : [];
    });
    camera.open(primary && cameraModel(primary), secondaries);
    if (this.#recording.on) camera.record(true, this.#recording.reason);
  }

  /** `gpu-id` of the primary is the GPU that decodes, too: pictures stay near. */
  #device({ kind }: HardwareDecode): Pick<HardwareDecode, 'device'> {
    const gpu = this.#slots.get(primaryModel(this.#graph)?.id ?? '')?.current?.spec.infer.gpuId;
    return kind === 'cuda' && gpu !== undefined ? { device: gpu } : {};
  }

  async #closeCamera(sensor: string): Promise<void> {
    const camera = this.#cameras.get(sensor);
    this.#cameras.delete(sensor);
    this.#restarts.delete(sensor);
    await camera?.stop();
  }

  #restartCamera(sensor: string, reason: string): void {
    this.#cameras.delete(sensor);
    this.#problem('CAMERA_THREAD_DIED', `camera ${sensor}: ${reason}; it is started again`, { sensor });
    const backoff = this.#restarts.get(sensor) ?? new Backoff({ baseMs: 1000, capMs: 60_000 });
    this.#restarts.set(sensor, backoff);
    this.#pausing.add(sensor);
    void backoff.wait(this.#stopped.signal).then((stillWanted) => {
      this.#pausing.delete(sensor);
      const source = nodesOf(this.#graph, 'source').find((node) => node.sensor === sensor);
      if (stillWanted && source && !this.#cameras.has(sensor)) this.#openCamera(source);
    });
  }

  #problem(code: string, message: string, about: { readonly sensor?: string; readonly node?: string } = {}): void {
    const problem = this.#problems.add(code, redact(message), about);
    this.#options.handlers.onProblem(problem);
    this.#options.handlers.onStatus(this.#graph.id);
  }
}
