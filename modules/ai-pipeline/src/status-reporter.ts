import path from 'node:path';
import { messageOf, type ConfigIssue, type StatusError } from '@vantage/contracts';
import type { EdgeModule } from '@vantage/edge-client';
import type { DetectedVariant } from '@vantage/inference';
import type { Ffmpeg } from '@vantage/media';
import type { Logger, Metrics } from '@vantage/observability';
import type { FrameInsights } from '@vantage/skill';
import type { CameraCounters, ClipReport } from './camera/protocol.ts';
import type { Engine } from './engine/engine.ts';
import type { PipelineStatus } from './engine/pipeline.ts';
import { NodeMetrics, describeNodes } from './node-metrics.ts';
import type { ExportStatus } from './exports/export-line.ts';

export interface StatusReporterOptions {
  readonly engine: Engine;
  readonly edge: EdgeModule;
  readonly metrics: Metrics;
  readonly ffmpeg: Ffmpeg;
  readonly variant: DetectedVariant;
  /** The export nodes of a pipeline, by id. */
  readonly exportsOf: (pipeline: string) => Readonly<Record<string, ExportStatus>>;
  /** Where the module answers: `http {port}`, `rtsp {port}`. */
  readonly addresses: Readonly<Record<string, { readonly port: number }>>;
  readonly logger: Logger;
}

/** Reported properties travel to the cloud: rates are refreshed this often, changes of state at once. */
const REFRESH_MS = 10_000;
/** A rate is measured anew after this long; until then the last one stands. */
const RATE_MS = 5000;

/** Tells how the module is: reported properties for people and tools, metrics for dashboards. */
export class StatusReporter {
  readonly #options: StatusReporterOptions;
  readonly #rates = new Map<string, { frames: number; sinceMs: number; fps: number }>();
  readonly #nodes: NodeMetrics;
  readonly #frames;
  readonly #detections;
  readonly #clips = new Map<string, { count: number; last: ClipReport }>();
  #configuration: Record<string, unknown> = {};
  #settings: Record<string, unknown> = {};
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(options: StatusReporterOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#nodes = new NodeMetrics(metrics);
    this.#frames = metrics.counter({
      name: 'vantage_frames_analysed_total',
      help: 'Frames that a model has looked at.',
      labelNames: ['pipeline', 'sensor'],
    });
    this.#detections = metrics.counter({
      name: 'vantage_detections_total',
      help: 'Objects that were found.',
      labelNames: ['pipeline', 'sensor'],
    });
  }

  start(): void {
    this.#options.engine.on('status', () => this.#reportSoon());
    this.#options.engine.on('clip', (pipeline, clip) => {
      this.#clips.set(pipeline, { count: (this.#clips.get(pipeline)?.count ?? 0) + 1, last: clip });
      this.#reportSoon();
    });
    this.#timer = setInterval(() => this.#report(), REFRESH_MS);
    this.#report();
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
  }

  configured(version: number | null, errors: readonly StatusError[]): void {
    this.#configuration = { version, errors: errors.slice(0, 20).map(({ path, message }) => ({ path, message })) };
    this.#reportSoon();
  }

  settings(settings: Readonly<Record<string, unknown>>, errors: readonly ConfigIssue[]): void {
    this.#settings = { ...settings, errors: errors.slice(0, 20).map(({ path, message }) => ({ path, message })) };
    this.#reportSoon();
  }

  sawFrame(pipeline: string, frame: FrameInsights): void {
    const labels = { pipeline, sensor: frame.sensor };
    this.#frames.inc(labels);
    if (frame.detections.length > 0) this.#detections.inc(labels, frame.detections.length);
  }

  #reportSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#report();
    }, 500);
  }

  #report(): void {
    const { engine, edge, ffmpeg, variant, addresses, logger } = this.#options;
    const statuses = engine.status();
    for (const status of statuses) this.#nodes.update(status);
    const report = edge.report({
      ffmpeg: { version: ffmpeg.version, origin: ffmpeg.origin },
      variant,
      ...addresses,
      configuration: this.#configuration,
      settings: this.#settings,
      pipelines: Object.fromEntries(statuses.map((status) => [status.id, this.#describe(status)])),
    });
    report.catch((error: unknown) => logger.warn(`reported properties not taken: ${messageOf(error)}`));
  }

  #describe(status: PipelineStatus): Record<string, unknown> {
    const cameras = status.cameras.map(({ counters, sensor, ...camera }) => [
      sensor,
      {
        ...camera,
        framesPerSecond: this.#rate(`${status.id}/${sensor}`, framesOf(counters)),
        inferenceMs: counters.inferenceMs,
        dropped: counters.dropped,
        edges: counters.edges,
        ...(Object.keys(counters.secondaries).length > 0 ? { secondaries: counters.secondaries } : {}),
        reconnects: counters.reconnects,
        ...(Object.keys(counters.nodes).length > 0 ? { nodes: describeNodes(counters.nodes) } : {}),
      },
    ]);
    const exported = this.#options.exportsOf(status.id);
    return {
      state: status.state,
      recording: status.recording,
      ...this.#describeClips(status.id),
      ...(status.model ? { model: status.model } : {}),
      ...(status.secondaries.length > 0
        ? { secondaries: Object.fromEntries(status.secondaries.map(({ node, model }) => [propertyName(node), model])) }
        : {}),
      ...(status.tracker === undefined ? {} : { tracker: status.tracker }),
      ...(status.notes.length > 0 ? { notes: status.notes.slice(0, 10) } : {}),
      ...(Object.keys(exported).length > 0 ? { exports: exported } : {}),
      cameras: Object.fromEntries(cameras),
      problems: status.problems.slice(-5),
    };
  }

  #describeClips(pipeline: string): Record<string, unknown> {
    const clips = this.#clips.get(pipeline);
    if (!clips) return { clips: 0 };
    const { path: file, sensor, seconds, frames, sizeBytes } = clips.last;
    return { clips: clips.count, lastClip: { file: path.basename(file), sensor, seconds, frames, sizeBytes } };
  }

  /** Frames a second, one decimal, over the last five seconds at least. */
  #rate(key: string, frames: number): number {
    const nowMs = performance.now();
    const before = this.#rates.get(key);
    if (before && nowMs - before.sinceMs < RATE_MS && frames >= before.frames) return before.fps;
    const isNew = !before || frames < before.frames;
    const fps = isNew ? 0 : Math.trunc(((frames - before.frames) / (nowMs - before.sinceMs)) * 10_000) / 10;
    this.#rates.set(key, { frames, sinceMs: nowMs, fps });
    return fps;
  }
}

/** A skill need not have a model: then every frame that is looked at counts. */
function framesOf({ analysed, frames, nodes }: CameraCounters): number {
  return analysed === 0 && Object.keys(nodes).length > 0 ? frames : analysed;
}

/** Names in twins hold neither `.` nor `/` for some readers: `secondary-1` for `model/secondary-1`. */
function propertyName(node: string): string {
  return node.replace(/^model\//, '');
}
