import { availableParallelism } from 'node:os';
import path from 'node:path';
import {
  AI_PIPELINE_DEFAULTS,
  INPUTS,
  MESSAGE_PROPERTIES,
  MODULES,
  OUTPUTS,
  messageOf,
  parseJson,
  readAiPipelineTwin,
  readRecordingCommand,
  validateComponents,
  type AiPipelineSettings,
  type Components,
  type ConfigurationStatusMessage,
  type RegionOfInterest,
  type StatusError,
} from '@vantage/contracts';
import type { EdgeModule, InputMessage } from '@vantage/edge-client';
import { WorkerPool, detectVariant, type Variant } from '@vantage/inference';
import { resolveFfmpeg, type HardwareDecode } from '@vantage/media';
import { ModelStore } from '@vantage/model-store';
import { resolveVolume, rewriteEndpoint, type ModuleContext } from '@vantage/observability';
import { compileComponents, nodesOf, type FrameInsights, type SkillGraph } from '@vantage/skill';
import { PARSER_NAMES } from '@vantage/vision';
import { Engine } from './engine/engine.ts';
import type { RecordingOptions } from './engine/pipeline.ts';
import { Exporters } from './exports/exporters.ts';
import { InsightStore } from './exports/insight-store.ts';
import { hasEvents, toEvents, toInferences } from './frame-inferences.ts';
import { MessageCadence, toMessage } from './inference-messages.ts';
import { Live, rtspAddress } from './live/live.ts';
import { OverlayRenderer } from './overlay/overlay-renderer.ts';
import { lastGoodIn, type LastGood } from './last-good.ts';
import { locateIn, resolveModel } from './model-resolver.ts';
import { Recordings } from './recordings/recordings.ts';
import { StatusReporter } from './status-reporter.ts';
import { WhyService } from './why/why-service.ts';

/** Where clips land in the container: the volume that the VideoUploader shares (contract A.2). */
const CLIP_FOLDER = '/tmp/VideoUploaderCache';

/** Who decodes; a decoder that is not there is reported, and software decodes. */
const HARDWARE: Readonly<Record<Variant, HardwareDecode | undefined>> = {
  cpu: undefined,
  dgpu: { kind: 'cuda' },
  jetson: { kind: 'nvv4l2' },
};

/** The module's own policy: what the edge tells it to do becomes graphs, what its engine sees becomes messages. */
export class AiPipeline {
  readonly #context: ModuleContext;
  readonly #edge: EdgeModule;
  readonly #engine: Engine;
  readonly #reporter: StatusReporter;
  readonly #exporters: Exporters;
  readonly #overlays: OverlayRenderer;
  readonly #lastGood: LastGood;
  readonly #recordings: Recordings;
  readonly #live: Live;
  readonly #cadences = new Map<string, MessageCadence>();
  /** Pipelines whose clips get a second one with overlays. */
  #withOverlays = new Set<string>();
  #regions = new Map<string, RegionOfInterest[]>();
  #messageEveryNFrames: number = AI_PIPELINE_DEFAULTS.messageEveryNFrames;

  private constructor(parts: {
    context: ModuleContext;
    edge: EdgeModule;
    engine: Engine;
    exporters: Exporters;
    overlays: OverlayRenderer;
    reporter: StatusReporter;
    lastGood: LastGood;
    recordings: Recordings;
    live: Live;
  }) {
    this.#context = parts.context;
    this.#edge = parts.edge;
    this.#engine = parts.engine;
    this.#exporters = parts.exporters;
    this.#overlays = parts.overlays;
    this.#reporter = parts.reporter;
    this.#lastGood = parts.lastGood;
    this.#recordings = parts.recordings;
    this.#live = parts.live;
  }

  /** Runs what was last good at once, without waiting for a network, and asks the controller for the newest. */
  static async start(context: ModuleContext, edge: EdgeModule): Promise<AiPipeline> {
    const { logger, metrics } = context;
    const stateFolder = resolveVolume('/var/lib/vantage');
    const ffmpeg = await resolveFfmpeg();
    logger.info(`ffmpeg ${ffmpeg.version} (${ffmpeg.origin})`, { path: ffmpeg.path });
    const recordings = new Recordings(resolveVolume(CLIP_FOLDER), edge, logger);
    await recordings.start();
    const detected = detectVariant();
    logger.info(`variant ${detected.variant}: ${detected.reason}`);
    const { variant } = detected;
    const hardware = HARDWARE[variant];
    const store = new ModelStore({ root: path.join(stateFolder, 'models'), logger });
    const engine = new Engine({
      ffmpeg,
      backend: new WorkerPool({
        // Cameras are decoded beside the models.
        cores: Math.max(1, availableParallelism() - 1),
        cacheFolder: path.join(stateFolder, 'optimised-models'),
        parserHost: import.meta.resolve('@vantage/parser-host'),
        log: (level, text, fields) => logger[level](text, fields),
      }),
      resolveModel: (node, signal) => resolveModel(node, { store, localRoot: process.cwd(), logger, variant }, signal),
      ...(hardware ? { hardware } : {}),
      locate: locateIn({ store, localRoot: process.cwd() }),
      recording: recordingOptions(AI_PIPELINE_DEFAULTS),
      logger,
    });
    const insights = new InsightStore();
    context.routes.set('/insights', (query) => insights.answer(query));
    const why = new WhyService(engine);
    context.routes.set('/why', (query) => why.answer(query));
    edge.onMethod('why', (payload) => why.invoke(payload));
    const exporters = new Exporters({ edge, metrics, logger, store: insights });
    const exportsOf = (pipeline: string): ReturnType<Exporters['status']> => exporters.status(pipeline);
    const overlays = new OverlayRenderer({
      ffmpeg,
      onRendered: (made) => logger.info(`clip with overlays ${path.basename(made)}`),
      onProblem: (pipeline, message) => logger.error(message, { code: 'OVERLAY_FAILED', pipeline }),
    });
    const { routes, metricsPort } = context;
    const live = new Live({ engine, ffmpeg, logger, routes, rtsp: rtspAddress(context.env) });
    await live.start();
    const addresses = {
      ...(metricsPort === undefined ? {} : { http: { port: metricsPort } }),
      ...(live.rtsp ? { rtsp: { port: live.rtsp.port } } : {}),
    };
    const about = { variant: detected, exportsOf, addresses };
    const reporter = new StatusReporter({ engine, edge, metrics, ffmpeg, ...about, logger });
    const lastGood = lastGoodIn(stateFolder);
    const module = new AiPipeline({ context, edge, engine, exporters, overlays, reporter, lastGood, recordings, live });
    await module.#run();
    return module;
  }

  async stop(): Promise<void> {
    this.#reporter.stop();
    await this.#live.stop();
    await this.#engine.stop();
    await Promise.all([this.#exporters.stop(), this.#overlays.stop(), this.#recordings.stop()]);
  }

  async #run(): Promise<void> {
    const { logger } = this.#context;
    this.#engine.on('insights', (pipeline, frame) => this.#onInsights(pipeline, frame));
    this.#engine.on('export', (pipeline, post) => this.#exporters.push(pipeline, post));
    this.#engine.on('problem', ({ code, message, ...where }) => logger.error(message, { code, ...where }));
    this.#engine.on('clip', (pipeline, clip) => {
      logger.info(`clip ${path.basename(clip.path)}: ${clip.frames} frames, ${clip.seconds} s`, { pipeline });
      // Snippets, in folders of their own, have theirs already.
      const isRecording = path.dirname(clip.path) === resolveVolume(CLIP_FOLDER);
      this.#recordings.look();
      if (isRecording && this.#withOverlays.has(pipeline)) this.#overlays.add(pipeline, clip.path);
    });

    const remembered = await this.#lastGood.read();
    if (remembered) await this.#configure(remembered.components, remembered.version);
    this.#edge.onInput(INPUTS.controller, (message) => this.#onConfiguration(message));
    this.#edge.onInput(INPUTS.recording, (message) => this.#onRecording(message));
    this.#edge.onDesired((desired) => this.#onTwin(desired));
    this.#reporter.start();
    this.#sendStatus('starting', null, []);
  }

  async #onConfiguration(message: InputMessage): Promise<void> {
    const version = Number(message.properties[MESSAGE_PROPERTIES.configurationVersion] ?? Number.NaN);
    const body = parseJson(message.text);
    const accepted = await this.#configure(body, Number.isInteger(version) ? version : null);
    if (accepted) await this.#lastGood.write({ components: body, version: Number.isInteger(version) ? version : null });
  }

  /** @returns whether the configuration took the place of the one before. */
  async #configure(body: unknown, version: number | null): Promise<boolean> {
    const { logger } = this.#context;
    const result = validateComponents(body, { parsers: PARSER_NAMES });
    const { components } = result;
    for (const issue of result.errors) logger.error(issue.message, { path: issue.path });
    if (!components) {
      this.#sendStatus('rejected', version, result.errors);
      return false;
    }
    if (components.logLevel !== undefined) logger.setLevel(components.logLevel);
    const { graphs, notes } = compileComponents(components);
    for (const note of notes) logger.warn(note.message, { pipeline: note.pipeline });
    this.#regions = regionsByPipeline(components);
    const steps = await this.#engine.apply(graphs.map(withReachablePlaces));
    this.#exporters.apply(graphs);
    const isPainted = (graph: SkillGraph): boolean => nodesOf(graph, 'recorder').some(({ overlay }) => overlay);
    this.#withOverlays = new Set(graphs.filter(isPainted).map(({ id }) => id));
    this.#keepCadences(graphs);
    logger.info(steps.length === 0 ? 'configuration unchanged' : `configuration applied: ${steps.length} steps`, {
      version,
      steps: steps.map((step) => step.action),
    });
    this.#reporter.configured(version, [
      ...result.errors,
      ...notes.map((note) => ({ path: note.pipeline, message: note.message })),
    ]);
    this.#sendStatus(result.errors.length > 0 ? 'applied-with-errors' : 'applied', version, result.errors);
    return true;
  }

  #onTwin(desired: unknown): void {
    const { settings, errors } = readAiPipelineTwin(desired);
    for (const issue of errors) this.#context.logger.error(issue.message, { path: issue.path });
    this.#messageEveryNFrames = settings.messageEveryNFrames;
    this.#cadences.clear();
    this.#engine.setRecording(recordingOptions(settings));
    this.#recordings.setBudget(settings.recordingBudgetMB);
    this.#reporter.settings(settings, errors);
  }

  #onRecording(message: InputMessage): void {
    const { logger } = this.#context;
    const { command, errors } = readRecordingCommand(parseJson(message.text));
    for (const issue of errors) logger.warn(issue.message, { path: issue.path });
    for (const { configId, state } of command?.startRecording ?? []) {
      const why = command?.reason?.map(({ region, label, count }) => `${count} ${label} in ${region}`).join(', ');
      if (!this.#engine.record(configId, state, why ?? (state ? 'asked for' : 'told to stop'))) {
        logger.warn(`recording command for unknown pipeline ${configId} ignored`);
      }
    }
  }

  #onInsights(pipeline: string, frame: FrameInsights): void {
    this.#reporter.sawFrame(pipeline, frame);
    let cadence = this.#cadences.get(pipeline);
    if (!cadence) {
      cadence = new MessageCadence(this.#messageEveryNFrames);
      this.#cadences.set(pipeline, cadence);
    }
    const inTurn = cadence.push(frame);
    // What happens is told at once, whosever turn it is.
    const due = inTurn.length === 0 && hasEvents(frame) ? [frame] : inTurn;
    if (due.length === 0) return;
    const message = toMessage(
      this.#regions.get(pipeline) ?? [],
      due.flatMap((one) => toInferences(pipeline, one)),
      due.flatMap(toEvents),
    );
    this.#edge.send(OUTPUTS.inference, message).catch((error: unknown) => {
      this.#context.logger.warn(`inference message not sent: ${messageOf(error)}`, { pipeline });
    });
  }

  #keepCadences(graphs: readonly SkillGraph[]): void {
    const running = new Set(graphs.map((graph) => graph.id));
    for (const id of this.#cadences.keys()) if (!running.has(id)) this.#cadences.delete(id);
  }

  #sendStatus(
    status: ConfigurationStatusMessage['status'],
    configurationVersion: number | null,
    errors: readonly StatusError[],
  ): void {
    const message: ConfigurationStatusMessage = {
      module: MODULES.aiPipeline,
      configurationVersion,
      status,
      errors: errors.slice(0, 200).map(({ path: where, message: text }) => ({ path: where, message: text })),
    };
    this.#edge.send(OUTPUTS.configurationStatus, message).catch((error: unknown) => {
      this.#context.logger.warn(`configuration status not sent: ${messageOf(error)}`);
    });
  }
}

function recordingOptions(settings: AiPipelineSettings): RecordingOptions {
  return {
    folder: resolveVolume(CLIP_FOLDER),
    preRollSeconds: settings.preRollTime,
    postRollSeconds: settings.postRollTime,
    clipSeconds: settings.outputVideoLength,
    autoStopSeconds: settings.autoStopRecordingTime,
  };
}

function regionsByPipeline(components: Components): Map<string, RegionOfInterest[]> {
  const regions = new Map<string, RegionOfInterest[]>();
  for (const { configId, sensor } of components.streams) {
    regions.set(configId, [...(regions.get(configId) ?? []), ...sensor.regionsOfInterest]);
  }
  return regions;
}

/** Host names of other modules resolve in containers only; the process executor says where they are instead. */
function withReachablePlaces(graph: SkillGraph): SkillGraph {
  const nodes = graph.nodes.map((node) => {
    if (node.kind === 'source') return { ...node, url: rewriteEndpoint(node.url) };
    return node.kind === 'custom' ? { ...node, endpoint: reachableEndpoint(node.endpoint) } : node;
  });
  return { ...graph, nodes };
}

/** Endpoints of custom nodes mostly have no scheme. */
function reachableEndpoint(endpoint: string): string {
  const scheme = endpoint.includes('://') ? '' : 'grpc://';
  return rewriteEndpoint(`${scheme}${endpoint}`).slice(scheme.length);
}
