import { isDeepStrictEqual } from 'node:util';
import { VantageError } from '@vantage/contracts';
import { Backoff } from '@vantage/observability';
import { nodesOf, type SkillGraph, type SourceNode } from '@vantage/skill';
import type { CameraGraph } from '../camera/graph/camera-graph.ts';
import { routeOf, type CameraRoute } from '../camera/graph/route.ts';
import type { WhyAnswer, WhyQuery } from '../why/why-types.ts';
import { branchModel, cameraModel, cameraSecondary } from './camera-models.ts';
import { analyticsOf, graphOf, nearModel, placesOf, recordingOf, type Place } from './camera-setup.ts';
import { Camera, type CameraStatus } from './camera.ts';
import type { Files } from './pipeline-files.ts';
import type { PipelineModels } from './pipeline-models.ts';
import type { PipelineOptions, RecordingOptions } from './pipeline-types.ts';

export interface PipelineCamerasOptions extends Pick<PipelineOptions, 'ffmpeg' | 'hardware' | 'logger' | 'handlers'> {
  readonly models: PipelineModels;
  readonly files: () => Files | undefined;
  readonly onProblem: (code: string, message: string, sensor: string) => void;
  readonly onStatus: () => void;
}

interface Open {
  readonly camera: Camera;
  route: CameraRoute;
  graph: CameraGraph | undefined;
}

/** The cameras of a pipeline. Each runs its part of the graph, and one that fails is started again by itself. */
export class PipelineCameras {
  readonly #options: PipelineCamerasOptions;
  readonly #open = new Map<string, Open>();
  readonly #restarts = new Map<string, Backoff>();
  /** Cameras that are started again after a pause. */
  readonly #pausing = new Set<string>();
  readonly #stopped = new AbortController();
  #graph: SkillGraph;
  #ready = false;
  #recordingOptions: RecordingOptions | undefined;
  #recording: { on: boolean; reason: string } = { on: false, reason: '' };

  constructor(graph: SkillGraph, recording: RecordingOptions | undefined, options: PipelineCamerasOptions) {
    this.#graph = graph;
    this.#recordingOptions = recording;
    this.#options = options;
  }

  get statuses(): readonly CameraStatus[] {
    return [...this.#open.values()].map(({ camera }) => camera.status);
  }

  get isRecording(): boolean {
    return this.#recording.on;
  }

  /** Everything that cameras need is there: those that are not open are opened, now and after every change. */
  openAll(): void {
    this.#ready = true;
    for (const source of nodesOf(this.#graph, 'source')) {
      if (!this.#open.has(source.sensor) && !this.#pausing.has(source.sensor)) this.#openCamera(source);
    }
  }

  /**
   * Another graph for the cameras that are open: what it does not change goes on.
   *
   * @returns resolves when they do not use the models any more that are gone
   */
  async use(graph: SkillGraph): Promise<void> {
    this.#graph = graph;
    this.setRecordingOptions(this.#recordingOptions);
    const sources = new Map(nodesOf(graph, 'source').map((source) => [source.sensor, source]));
    await Promise.all(
      [...this.#open].map(([sensor, open]) => {
        const source = sources.get(sensor);
        return source ? this.#reroute(open, source) : Promise.resolve();
      }),
    );
  }

  /** A model runs. Resolves when no camera uses the one before any more. */
  async give(node: string): Promise<void> {
    await Promise.all([...this.#open.values()].map((open) => this.#give(open, node)));
  }

  /** Files were read again. @param before those that the cameras have */
  useFiles(before: Files): void {
    const files = this.#options.files();
    for (const [sensor, open] of this.#open) {
      const source = this.#source(sensor);
      if (open.route.rest) {
        void this.#reroute(open, source);
        continue;
      }
      const { tracker, analytics } = open.route.trunk;
      if (!isDeepStrictEqual(before.trackers, files?.trackers)) {
        open.camera.setTracker(tracker && files?.trackers.get(tracker.id));
      }
      if (!isDeepStrictEqual(before.analytics, files?.analytics)) {
        open.camera.setAnalytics(analytics && analyticsOf(this.#graph, source, analytics.id, files));
      }
    }
  }

  setPicture(sensor: string): void {
    this.#open.get(sensor)?.camera.setPicture(this.#source(sensor));
  }

  setRegions(sensor: string): void {
    this.#open.get(sensor)?.camera.setRegions(this.#source(sensor).regions);
  }

  setHealth(sensor: string): void {
    this.#open.get(sensor)?.camera.setHealth(this.#source(sensor).health);
  }

  /** Undefined: it is not open. */
  why(query: WhyQuery): Promise<WhyAnswer | undefined> {
    return this.#open.get(query.sensor)?.camera.why(query) ?? Promise.resolve(undefined);
  }

  record(on: boolean, reason: string): void {
    this.#recording = { on, reason };
    for (const { camera } of this.#open.values()) camera.record(on, reason);
  }

  watch(sensor: string, on: boolean): void {
    this.#open.get(sensor)?.camera.watch(on);
  }

  setRecordingOptions(recording: RecordingOptions | undefined): void {
    this.#recordingOptions = recording;
    const settings = recordingOf(this.#graph, this.#recordingOptions);
    if (settings) for (const { camera } of this.#open.values()) camera.setRecordingSettings(settings);
  }

  async close(sensor: string): Promise<void> {
    const open = this.#open.get(sensor);
    this.#open.delete(sensor);
    this.#restarts.delete(sensor);
    await open?.camera.stop();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([...this.#open.keys()].map((sensor) => this.close(sensor)));
  }

  #source(sensor: string): SourceNode {
    const source = nodesOf(this.#graph, 'source').find((node) => node.sensor === sensor);
    if (!source) throw new VantageError('PLAN_STEP_MISPLACED', `${this.#graph.id} has no camera ${sensor}`);
    return source;
  }

  #give({ camera, route }: Pick<Open, 'camera' | 'route'>, id: string): Promise<void> {
    const running = this.#options.models.current(id);
    const { primary, secondaries } = route.trunk;
    if (primary?.id === id) return camera.setModel(running && cameraModel(running));
    const order = secondaries.findIndex((node) => node.id === id);
    if (order >= 0) return camera.setSecondary(id, running && cameraSecondary(id, order, running));
    if (!route.rest?.nodes.some((node) => node.id === id)) return Promise.resolve();
    return camera.setBranchModel(id, running && branchModel(id, running));
  }

  /** The changes arrive at the camera in this order, one after the other. */
  async #reroute(open: Open, source: SourceNode): Promise<void> {
    const { camera, route: before } = open;
    const route = routeOf(this.#graph, source);
    const graph = graphOf(this.#graph, route, source, this.#options.files());
    const changes: Promise<void>[] = [];
    const had = placesOf(before);
    const has = placesOf(route);
    // Models first that are new behind the trunk: their nodes find them there.
    const moved = [...has].filter(([id, place]) => had.get(id) !== place);
    const into = (place: Place): Promise<void>[] =>
      moved.flatMap(([id, now]) =>
        now === place && this.#options.models.current(id) ? [this.#give({ camera, route }, id)] : [],
      );
    changes.push(...into('branch'));
    if (graph && !isDeepStrictEqual(graph, open.graph)) camera.setGraph(graph);
    for (const [id, place] of had) {
      if (place === 'secondary' && has.get(id) !== place) changes.push(camera.setSecondary(id, undefined));
      if (place === 'primary' && route.trunk.primary === undefined) changes.push(camera.setModel(undefined));
    }
    changes.push(...into('primary'), ...into('secondary'));
    open.route = route;
    open.graph = graph;
    await Promise.all(changes);
  }

  #openCamera(source: SourceNode): void {
    const { sensor, url, crop, maxFps, pace, loop, regions, id } = source;
    const { handlers, logger, ffmpeg, hardware, models } = this.#options;
    const files = this.#options.files();
    // Until everything is there a camera would not know what size of picture to ask for.
    if (!this.#ready || !files) return;
    const dewarp = files.dewarps.get(sensor);
    const route = routeOf(this.#graph, source);
    const { primary, tracker, secondaries, analytics } = route.trunk;
    const trackerSetup = tracker && files.trackers.get(tracker.id);
    const rules = analytics && analyticsOf(this.#graph, source, analytics.id, files);
    const recording = recordingOf(this.#graph, this.#recordingOptions);
    const graph = graphOf(this.#graph, route, source, this.#options.files());
    const policy = pace === 'realtime' ? ('latest' as const) : ('block' as const);
    const toModel = this.#graph.edges.find(({ from, to }) => from === id && (!graph || to === primary?.id));
    const camera = new Camera(
      {
        sensor,
        url,
        ...(dewarp ? { dewarp } : {}),
        ...(crop ? { crop } : {}),
        ...(maxFps === undefined ? {} : { maxFps }),
        ...(hardware ? { hardware: nearModel(hardware, models.current(primary?.id)) } : {}),
        pace,
        loop,
        ffmpeg,
        ...(trackerSetup ? { tracker: trackerSetup } : {}),
        ...(rules ? { analytics: rules } : {}),
        queue: toModel?.queue ?? { capacity: 1, policy },
        ...(recording ? { recording } : {}),
        ...(this.#recordingOptions ? { clipFolder: this.#recordingOptions.folder } : {}),
        regions,
        ...(source.health === undefined ? {} : { health: source.health }),
        ...(graph ? { graph } : {}),
      },
      {
        onInsights: (frame) => handlers.onInsights(this.#graph.id, frame),
        onExport: (post) => {
          if ('frame' in post) handlers.onInsights(this.#graph.id, post.frame);
          else handlers.onExport(this.#graph.id, post);
        },
        onStatus: (_status, changed) => {
          if (changed !== 'counters') this.#options.onStatus();
        },
        onLive: (message) => handlers.onLive(this.#graph.id, sensor, message),
        onClip: (clip) => handlers.onClip(this.#graph.id, clip),
        onProblem: (code, message) => this.#options.onProblem(code, message, sensor),
        onCrash: (reason) => this.#restart(sensor, reason),
      },
      logger,
    );
    this.#open.set(sensor, { camera, route, graph });
    const first = models.current(primary?.id);
    camera.open(
      first && cameraModel(first),
      secondaries.flatMap((node, order) => {
        const running = models.current(node.id);
        return running ? [cameraSecondary(node.id, order, running)] : [];
      }),
      (route.rest?.nodes ?? []).flatMap((node) => {
        const running = models.current(node.id);
        return running ? [branchModel(node.id, running)] : [];
      }),
    );
    if (this.#recording.on) camera.record(true, this.#recording.reason);
    if (handlers.isWatched(this.#graph.id, sensor)) camera.watch(true);
  }

  #restart(sensor: string, reason: string): void {
    this.#open.delete(sensor);
    this.#options.onProblem('CAMERA_THREAD_DIED', `camera ${sensor}: ${reason}; it is started again`, sensor);
    const backoff = this.#restarts.get(sensor) ?? new Backoff({ baseMs: 1000, capMs: 60_000 });
    this.#restarts.set(sensor, backoff);
    this.#pausing.add(sensor);
    void backoff.wait(this.#stopped.signal).then((stillWanted) => {
      this.#pausing.delete(sensor);
      const source = nodesOf(this.#graph, 'source').find((node) => node.sensor === sensor);
      if (stillWanted && source && !this.#open.has(sensor)) this.#openCamera(source);
    });
  }
}
