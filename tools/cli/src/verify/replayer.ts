import { pathToFileURL } from 'node:url';
import {
  Engine,
  MessageCadence,
  locateIn,
  resolveModel,
  toEvents,
  toInferences,
  toMessage,
  type Problem,
} from '@vantage/ai-pipeline';
import { readSettings, type Decide } from '@vantage/business-logic-module';
import type { Components } from '@vantage/contracts';
import { WorkerPool } from '@vantage/inference';
import type { Ffmpeg } from '@vantage/media';
import { ModelStore } from '@vantage/model-store';
import type { Logger } from '@vantage/observability';
import { nodesOf, type FrameInsights, type SkillGraph } from '@vantage/skill';

/** Something that would have told somebody. */
export interface Alert {
  /** Into the clip. */
  readonly seconds: number;
  /** Type of an event, or `recording`. */
  readonly type: string;
  readonly detail: string;
}

export interface Replay {
  readonly frames: number;
  readonly alerts: readonly Alert[];
  /** What came nearest, such as `person 0.41 of 0.50`, where scores stayed below their thresholds. */
  readonly nearest: readonly string[];
  /** It could not be played to its end. */
  readonly error?: string;
}

export interface ReplayerOptions {
  readonly components: Components;
  readonly graphs: readonly SkillGraph[];
  readonly messageEveryNFrames: number;
  readonly decide: Decide;
  readonly ffmpeg: Ffmpeg;
  readonly cacheFolder: string;
  readonly logger: Logger;
}

const MAX_ALERTS = 1000;

/**
 * Plays clips in the place of a camera through its pipelines, with the same engine, messages and decision logic as the
 * modules, as fast as it goes. Models stay loaded from one clip to the next; trackers, rules and the logic begin anew.
 */
export class Replayer {
  readonly #options: ReplayerOptions;
  readonly #engine: Engine;

  constructor(options: ReplayerOptions) {
    this.#options = options;
    const { ffmpeg, cacheFolder, logger } = options;
    const store = new ModelStore({ root: cacheFolder, logger });
    this.#engine = new Engine({
      ffmpeg,
      backend: new WorkerPool({
        parserHost: import.meta.resolve('@vantage/parser-host'),
        log: (level, text, fields) => logger[level](text, fields),
      }),
      resolveModel: (node, signal) => resolveModel(node, { store, localRoot: process.cwd(), logger }, signal),
      locate: locateIn({ store, localRoot: process.cwd() }),
      logger,
    });
  }

  get sensors(): readonly string[] {
    return [...new Set(this.#options.graphs.flatMap((graph) => nodesOf(graph, 'source').map(({ sensor }) => sensor)))];
  }

  stop(): Promise<void> {
    return this.#engine.stop();
  }

  async replay(file: string, sensor: string): Promise<Replay> {
    const graphs = this.#options.graphs.flatMap((graph) => withClip(graph, sensor, pathToFileURL(file).href));
    const audience = new Audience(this.#options);
    const times = { first: 0, last: 0 };
    let error: string | undefined;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const onInsights = (pipeline: string, frame: FrameInsights): void => {
      if (audience.frames === 0) times.first = frame.captureTimeMs;
      times.last = frame.captureTimeMs;
      audience.see(pipeline, frame);
    };
    const onProblem = ({ code, message }: Problem): void => {
      error ??= `${code}: ${message}`;
      if (code !== 'INFERENCE_FAILED') end();
    };
    const onStatus = (): void => {
      const cameras = this.#engine.status().map(({ cameras: [camera] }) => camera);
      const failed = cameras.find((camera) => camera?.state === 'failed');
      if (failed) error ??= failed.reason;
      if (failed || (cameras.length > 0 && cameras.every((camera) => camera?.state === 'ended'))) end();
    };
    const engine = this.#engine.on('insights', onInsights).on('problem', onProblem);
    try {
      // A camera of the clip before has ended, which is no end of this one.
      await engine.apply(graphs);
      engine.on('status', onStatus);
      onStatus();
      await ended;
      const nearest = await this.#nearest(graphs, sensor, times);
      const { frames, alerts } = audience;
      return { frames, alerts, nearest, ...(error === undefined ? {} : { error }) };
    } finally {
      engine.off('insights', onInsights).off('problem', onProblem).off('status', onStatus);
    }
  }

  async #nearest(
    graphs: readonly SkillGraph[],
    sensor: string,
    { first, last }: { readonly first: number; readonly last: number },
  ): Promise<string[]> {
    const atMs = (first + last) / 2;
    const seconds = (last - first) / 2000 + 1;
    const best = new Map<string, { score: number; threshold: number }>();
    for (const { id: pipeline } of graphs) {
      const answer = await this.#engine.why({ pipeline, sensor, atMs, seconds });
      for (const { label, score, threshold } of answer?.frames.flatMap((frame) => frame.best) ?? []) {
        if (threshold !== null && score > (best.get(label)?.score ?? 0)) best.set(label, { score, threshold });
      }
    }
    return [...best]
      .filter(([, { score, threshold }]) => score < threshold && score > threshold / 3)
      .map(([label, { score, threshold }]) => `${label} ${score.toFixed(2)} of ${threshold.toFixed(2)}`);
  }
}

/** What hears the ai-pipeline: messages at its pace, the decision logic, events. */
class Audience {
  readonly alerts: Alert[] = [];
  frames = 0;
  readonly #options: ReplayerOptions;
  readonly #cadences = new Map<string, MessageCadence>();
  #state: unknown;

  constructor(options: ReplayerOptions) {
    this.#options = options;
    const { sensors, businessLogicConfig } = options.components;
    const { settings } = readSettings(businessLogicConfig);
    this.#state = options.decide(undefined, {
      kind: 'configuration',
      sensors,
      businessLogicConfig,
      ...settings,
    }).state;
  }

  see(pipeline: string, frame: FrameInsights): void {
    this.frames += 1;
    const seconds = Math.round(frame.ptsUs / 1e4) / 100;
    const zones = (frame.analytics?.events ?? []).map(({ type, zone }) => ({ type, detail: zone }));
    const rules = (frame.events ?? []).map(({ type, properties }) => ({ type, detail: properties['node'] ?? '' }));
    for (const { type, detail } of [...zones, ...rules]) this.#tell({ seconds, type, detail });
    let cadence = this.#cadences.get(pipeline);
    if (!cadence) {
      cadence = new MessageCadence(this.#options.messageEveryNFrames);
      this.#cadences.set(pipeline, cadence);
    }
    const inTurn = cadence.push(frame);
    const events = toEvents(frame);
    const due = inTurn.length === 0 && events.length > 0 ? [frame] : inTurn;
    if (due.length === 0) return;
    const inferences = due.flatMap((one) => toInferences(pipeline, one));
    const message = toMessage([], inferences, due.flatMap(toEvents));
    const { state, commands } = this.#options.decide(this.#state, { kind: 'inference', message });
    this.#state = state;
    for (const { startRecording, reason = [] } of commands) {
      const why = reason.map(({ region, label, count }) => `${count} ${label} in ${region}`).join(', ');
      for (const { configId, state: on } of startRecording) {
        if (on) this.#tell({ seconds, type: 'recording', detail: why === '' ? configId : why });
      }
    }
  }

  #tell(alert: Alert): void {
    if (this.alerts.length < MAX_ALERTS) this.alerts.push(alert);
  }
}

/** A pipeline that has one camera left, which plays the clip; nothing where it has no such camera. */
function withClip(graph: SkillGraph, sensor: string, url: string): SkillGraph[] {
  const sources = nodesOf(graph, 'source');
  const stream = sources.findIndex((source) => source.sensor === sensor);
  if (stream < 0) return [];
  const others = new Set(sources.filter((source) => source.sensor !== sensor).map(({ id }) => id));
  return [
    {
      ...graph,
      nodes: graph.nodes
        .filter(({ id }) => !others.has(id))
        .map((node) =>
          node.kind === 'source' ? { ...node, url, stream, pace: 'asFastAsPossible' as const, loop: false } : node,
        ),
      edges: graph.edges
        .filter(({ from }) => !others.has(from))
        .map((edge) => ({ ...edge, queue: { ...edge.queue, policy: 'block' as const } })),
    },
  ];
}
