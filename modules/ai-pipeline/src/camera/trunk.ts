import type { InferenceResult } from '@vantage/inference';
import type { SourceStream } from '@vantage/media';
import { Analytics, type FrameInsights, type FrameObject } from '@vantage/skill';
import type { CameraObserver } from '../why/camera-observer.ts';
import { Cascade } from './cascade.ts';
import type { ClipRecorder } from './clip-recorder.ts';
import type { FlowPicture } from './frame-flow.ts';
import type { LiveTap } from './live-tap.ts';
import { Branches, type Tap } from './graph/branches.ts';
import type { CameraGraph } from './graph/camera-graph.ts';
import type { PicturePool } from './graph/shared-picture.ts';
import type { AnalyticsSetup, CameraModel, CameraSetup, FromCamera, TrackerSetup } from './protocol.ts';
import { frameParts, objectsOf } from './results.ts';
import type { TrackStage } from './track-stage.ts';
import { TrackerShelf } from './tracker-shelf.ts';

/** Place of a tracker that no graph names. */
const UNNAMED = '';
/** Before the stream has said what it is. */
const UNKNOWN = { sourceWidth: 1, sourceHeight: 1 };
const BEHIND_MODEL = ['detected', 'tracked', 'end'] as const;

type FrameAt = Pick<FlowPicture, 'frameId' | 'ptsUs' | 'captureTimeMs' | 'full'>;
type Held = void | Promise<void>;

export interface TrunkOptions {
  readonly setup: CameraSetup;
  readonly pictures: PicturePool;
  readonly recorder: ClipRecorder | undefined;
  readonly live: LiveTap;
  readonly observer: CameraObserver;
  readonly send: (message: FromCamera) => void;
  readonly onProblem: (code: string, message: string) => void;
}

/**
 * The line that every graph begins with: what the primary model says goes to the tracker, the secondary models and the
 * rules of an nvdsanalytics file. Frames leave it at its taps, to the branches behind it; without branches, at its end, to
 * the recorder and the main thread.
 */
export class Trunk {
  readonly cascade: Cascade;
  readonly branches: Branches | undefined;
  readonly #options: TrunkOptions;
  readonly #trackers = new TrackerShelf();
  #tracker: TrackStage;
  #analytics: Analytics | undefined;
  #model: CameraModel | undefined;
  #stream: SourceStream | undefined;
  #failure: string | undefined;
  #telling: NodeJS.Timeout | undefined;
  #lastEmittedUs = -1;

  constructor(options: TrunkOptions) {
    this.#options = options;
    const { sensor, graph, tracker, analytics } = options.setup;
    this.cascade = new Cascade({
      onProblem: (node, reason) =>
        options.onProblem('INFERENCE_FAILED', `${node} failed on objects of camera ${sensor}: ${reason}`),
    });
    this.#tracker = this.#trackers.get(graph?.trunkTracker ?? UNNAMED, tracker);
    this.branches = graph && this.#branchesOf(graph);
    this.useAnalytics(analytics);
  }

  get tracks(): boolean {
    return this.#tracker.isOn;
  }

  /** Whether somebody looks at the full picture of a frame that the model looks at, or (`interval`) does not. */
  needsFull(isLookedAt: boolean): boolean {
    const { branches } = this;
    if (!this.#model) return false;
    return (isLookedAt && !this.cascade.isEmpty) || BEHIND_MODEL.some((tap) => branches?.needsPixels(tap));
  }

  useModel(model: CameraModel | undefined): void {
    this.#model = model;
    this.#setFrameInterval();
  }

  useStream(stream: SourceStream): void {
    this.#stream = stream;
    this.#setFrameInterval();
  }

  /** Of a graph without branches. */
  useTracker(tracker: TrackerSetup | undefined): void {
    this.#tracker = this.#trackers.get(UNNAMED, tracker);
    this.cascade.reset();
  }

  useAnalytics(analytics: AnalyticsSetup | undefined): void {
    this.#analytics = analytics && new Analytics(analytics.spec, analytics.stream);
  }

  /** What is as before goes on. */
  useGraph(graph: CameraGraph): void {
    const tracker = graph.trunkTracker;
    this.#tracker = this.#trackers.get(tracker ?? UNNAMED, tracker === undefined ? undefined : graph.trackers[tracker]);
    this.branches?.use(graph);
    this.#trackers.keep(new Set([UNNAMED, ...Object.keys(graph.trackers)]));
  }

  /** The camera comes back to another scene. */
  reset(): void {
    this.#tracker.reset();
    this.#analytics?.reset();
    this.cascade.reset();
    this.branches?.reset();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#telling);
    this.cascade.clear();
    await this.branches?.stop();
  }

  /** A frame as it comes, for branches that begin at the camera. Its picture is only lent. */
  onCaptured(picture: FrameAt): Held {
    return this.#leave('source', picture, [], {});
  }

  /** Nobody looks at pixels, and yet each frame has its entry: its time, and nothing seen. */
  onUnseen(at: Omit<FrameAt, 'full'>): void {
    void this.#emit(at, [], {});
  }

  /** Between two frames that the model looks at, the tracker knows. Releases the full picture. */
  onSkipped(picture: FlowPicture): Held {
    let held: Held = undefined;
    if (this.#tracker.isOn) {
      const objects = this.#tracker.predict(picture.ptsUs);
      const parts = { predicted: true };
      held = both(this.#leave('tracked', picture, objects, parts), this.#emit(picture, objects, parts));
    }
    picture.full?.release();
    return held;
  }

  /** What the primary model says about a frame. Releases the full picture. A returned promise holds the next one back. */
  onResult(picture: FlowPicture, result: InferenceResult): Held {
    const { outputs, error } = result;
    const [output] = outputs;
    if (error !== undefined || !output) {
      picture.full?.release();
      this.#failed(error ?? 'it gave no answer');
      return undefined;
    }
    this.#failure = undefined;
    const detected = objectsOf(output, this.#model?.labels ?? []);
    const parts = frameParts(output);
    const before = this.#leave('detected', picture, detected, parts);
    const objects = this.#tracker.update(detected, picture.ptsUs);
    this.#options.observer.seen(picture, this.#stream, detected, objects, result);
    const early = both(before, this.#leave('tracked', picture, objects, parts));
    const end = (all: readonly FrameObject[]): Held => {
      const held = this.#emit(picture, all, parts);
      picture.full?.release();
      return held;
    };
    if (!picture.full || this.cascade.isEmpty) return both(early, end(objects));
    return both(early, this.cascade.run(picture, objects).then(end));
  }

  #emit(at: FrameAt, detections: readonly FrameObject[], parts: Partial<FrameInsights>): Held {
    if (this.#isLate(at)) return undefined;
    this.#lastEmittedUs = Math.max(this.#lastEmittedUs, at.ptsUs);
    const insights = this.#insights(at, detections, parts);
    const { width, height } = insights;
    const analytics = this.#analytics?.update(detections, at.ptsUs, width, height);
    const frame = analytics ? { ...insights, analytics } : insights;
    if (this.branches) {
      this.#options.live.onInsights(frame);
      return this.branches.push('end', { insights: frame, ...(at.full ? { picture: at.full } : {}) });
    }
    this.#options.recorder?.onInsights(frame);
    this.#options.send({ kind: 'insights', frame });
    return undefined;
  }

  /** Before the end. */
  #leave(
    tap: Exclude<Tap, 'end'>,
    at: FrameAt,
    detections: readonly FrameObject[],
    parts: Partial<FrameInsights>,
  ): Held {
    if (!this.branches?.accepts(tap) || (tap !== 'source' && this.#isLate(at))) return undefined;
    const insights = this.#insights(at, detections, parts);
    return this.branches.push(tap, { insights, ...(at.full ? { picture: at.full } : {}) });
  }

  /** A model that joins starts with the group of frames that had gone by without one. */
  #isLate({ ptsUs }: FrameAt): boolean {
    return this.#model !== undefined && ptsUs <= this.#lastEmittedUs;
  }

  #insights(
    { frameId, ptsUs, captureTimeMs }: FrameAt,
    detections: readonly FrameObject[],
    parts: Partial<FrameInsights>,
  ): FrameInsights {
    const { sourceWidth: width, sourceHeight: height } = this.#stream ?? UNKNOWN;
    const { sensor } = this.#options.setup;
    return { ...{ sensor, frameId, ptsUs, captureTimeMs, width, height, detections }, ...parts };
  }

  /** Said once, not thirty times a second; the counters have the number. */
  #failed(reason: string): void {
    const { onProblem, setup } = this.#options;
    if (reason !== this.#failure) {
      onProblem('INFERENCE_FAILED', `the model failed on a frame of camera ${setup.sensor}: ${reason}`);
    }
    this.#failure = reason;
  }

  #setFrameInterval(): void {
    const fps = this.#stream?.fps ?? 0;
    this.#trackers.setFrameInterval(fps > 0 ? (1e6 / fps) * ((this.#model?.interval ?? 0) + 1) : undefined);
  }

  #branchesOf(graph: CameraGraph): Branches {
    const { setup, pictures, recorder, send, onProblem } = this.#options;
    return new Branches(graph, {
      pool: pictures,
      ffmpeg: setup.ffmpeg,
      folder: setup.clipFolder,
      recorder,
      send,
      tracker: (node, tracker) => this.#trackers.get(node, tracker),
      onStatus: () => this.#tellNodes(),
      onProblem,
    });
  }

  /** Several changes at once are told once. */
  #tellNodes(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      if (this.branches) this.#options.send({ kind: 'nodes', nodes: this.branches.report() });
    }, 20);
  }
}

/** Resolves when both do. */
export function both(a: Held, b: Held): Held {
  return a && b ? Promise.all([a, b]).then(() => undefined) : (a ?? b);
}
