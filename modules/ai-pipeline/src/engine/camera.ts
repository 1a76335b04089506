import { Worker } from 'node:worker_threads';
import { messageOf } from '@vantage/contracts';
import type { Logger } from '@vantage/observability';
import type { DecoderReport } from '@vantage/media';
import type { FrameInsights, PixelRect } from '@vantage/skill';
import type { ExportPost } from '../camera/export/export-stage.ts';
import type { ViewStatus } from '../camera/health/camera-health.ts';
import type { WhyAnswer, WhyQuery } from '../why/why-types.ts';
import type { BranchModel, CameraGraph } from '../camera/graph/camera-graph.ts';
import type {
  AnalyticsSetup,
  CameraCounters,
  CameraModel,
  CameraSecondary,
  CameraSetup,
  CameraState,
  ClipRegion,
  ClipReport,
  FromCamera,
  LiveMessage,
  RecordingSettings,
  ToCamera,
  TrackerSetup,
} from '../camera/protocol.ts';

export interface CameraStatus {
  /** Whether its view is worth looking at, and since when. Absent: nobody watches it. */
  readonly view?: ViewStatus;
  readonly sensor: string;
  readonly state: CameraState['state'];
  readonly reason: string;
  readonly width?: number;
  readonly height?: number;
  readonly codec?: string;
  /** Frames per second of the source as it declares them; 0 when it does not. */
  readonly fps?: number;
  /** Who decodes its pictures, and why not what was wanted. */
  readonly decoder?: DecoderReport;
  readonly recording: boolean;
  readonly counters: CameraCounters;
}

export interface CameraHandlers {
  readonly onInsights: (frame: FrameInsights) => void;
  readonly onExport: (post: ExportPost) => void;
  readonly onStatus: (status: CameraStatus, changed: 'state' | 'stream' | 'counters' | 'recording') => void;
  readonly onClip: (clip: ClipReport) => void;
  readonly onLive: (message: LiveMessage) => void;
  readonly onProblem: (code: string, message: string) => void;
  /** The thread ended without having been told to. */
  readonly onCrash: (reason: string) => void;
}

const NO_COUNTERS: CameraCounters = {
  frames: 0,
  analysed: 0,
  dropped: { busy: 0, error: 0 },
  packets: 0,
  reconnects: 0,
  inferenceMs: 0,
  edges: {},
  secondaries: {},
  nodes: {},
};

/** How long a camera may take to close its clips and its ffmpeg. */
const STOP_TIMEOUT_MS = 8000;

/** The main thread's end of a camera: one worker thread that decodes, tracks and records, and nothing else. */
export class Camera {
  readonly #worker: Worker;
  readonly #handlers: CameraHandlers;
  readonly #logger: Logger;
  #status: CameraStatus;
  #stopping: Promise<void> | undefined;
  #requests = 0;
  readonly #taken = new Map<number, () => void>();
  readonly #asked = new Map<number, (answer: WhyAnswer | undefined) => void>();

  constructor(setup: CameraSetup, handlers: CameraHandlers, logger: Logger) {
    this.#handlers = handlers;
    this.#logger = logger.child({ sensor: setup.sensor });
    this.#status = {
      sensor: setup.sensor,
      state: 'connecting',
      reason: 'opening',
      recording: false,
      counters: NO_COUNTERS,
    };
    this.#worker = new Worker(new URL('../camera/camera-worker.ts', import.meta.url), {
      workerData: setup,
      name: `camera ${setup.sensor}`,
      // A pipe's number is opened with fs and closed by its socket, which Node's list of a worker's open files never
      // learns: at the end of the thread it would close that number again, whosever it is by then.
      trackUnmanagedFds: false,
    });
    this.#worker.on('message', (message: FromCamera) => this.#receive(message));
    this.#worker.on('error', (error) => this.#logger.error('camera thread failed', { error: messageOf(error) }));
    this.#worker.once('exit', (code) => {
      // Whoever waits for this camera to let go of a model need not wait any more.
      for (const resolve of this.#taken.values()) resolve();
      this.#taken.clear();
      for (const resolve of this.#asked.values()) resolve(undefined);
      this.#asked.clear();
      if (!this.#stopping) handlers.onCrash(`its thread ended with code ${code}`);
    });
  }

  get status(): CameraStatus {
    return this.#status;
  }

  /** Starts decoding. Without a model only the encoded stream is read. */
  open(
    model: CameraModel | undefined,
    secondaries: readonly CameraSecondary[],
    branchModels: readonly BranchModel[],
  ): void {
    const ports = [...(model ? [model] : []), ...secondaries, ...branchModels].map(({ port }) => port);
    this.#send({ kind: 'open', ...(model ? { model } : {}), secondaries, branchModels }, ports);
  }

  /** Takes over between two frames. Resolves when the camera does not need the model before any more. */
  setModel(model: CameraModel | undefined): Promise<void> {
    return this.#request((request) =>
      this.#send({ kind: 'model', ...(model ? { model } : {}), request }, model ? [model.port] : []),
    );
  }

  /** The same for a secondary model; without one the node is left out. */
  setSecondary(node: string, secondary: CameraSecondary | undefined): Promise<void> {
    return this.#request((request) =>
      this.#send(
        { kind: 'secondary', node, ...(secondary ? { secondary } : {}), request },
        secondary ? [secondary.port] : [],
      ),
    );
  }

  /** The same for a model behind the trunk. */
  setBranchModel(node: string, model: BranchModel | undefined): Promise<void> {
    return this.#request((request) =>
      this.#send({ kind: 'branchModel', node, ...(model ? { model } : {}), request }, model ? [model.port] : []),
    );
  }

  /** Another graph behind the trunk, between two frames. */
  setGraph(graph: CameraGraph): void {
    this.#send({ kind: 'graph', graph });
  }

  /** Other pictures of the same stream, between two frames. */
  setPicture({ crop, maxFps }: { readonly crop?: PixelRect; readonly maxFps?: number }): void {
    this.#send({ kind: 'picture', ...(crop ? { crop } : {}), ...(maxFps === undefined ? {} : { maxFps }) });
  }

  setRegions(regions: readonly ClipRegion[]): void {
    this.#send({ kind: 'regions', regions });
  }

  setTracker(tracker: TrackerSetup | undefined): void {
    this.#send({ kind: 'tracker', ...(tracker ? { tracker } : {}) });
  }

  setAnalytics(analytics: AnalyticsSetup | undefined): void {
    this.#send({ kind: 'analytics', ...(analytics ? { analytics } : {}) });
  }

  setRecordingSettings(settings: RecordingSettings): void {
    this.#send({ kind: 'recordingSettings', settings });
  }

  /** Packets and insights go to `onLive` while on. */
  watch(on: boolean): void {
    this.#send({ kind: on ? 'watch' : 'unwatch' });
  }

  record(on: boolean, reason: string): void {
    this.#send({ kind: 'record', on, reason });
  }

  setHealth(health: CameraSetup['health']): void {
    this.#send({ kind: 'health', ...(health === undefined ? {} : { health }) });
  }

  /** What became of its frames. Undefined when it ends meanwhile. */
  why(query: WhyQuery): Promise<WhyAnswer | undefined> {
    if (this.#stopping) return Promise.resolve(undefined);
    const request = ++this.#requests;
    return new Promise((resolve) => {
      this.#asked.set(request, resolve);
      this.#send({ kind: 'why', query, request });
    });
  }

  /** Closes open clips first. Never rejects; a thread that hangs is ended. */
  stop(): Promise<void> {
    this.#stopping ??= new Promise((resolve) => {
      const timer = setTimeout(() => void this.#worker.terminate(), STOP_TIMEOUT_MS);
      this.#worker.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#send({ kind: 'stop' });
    });
    return this.#stopping;
  }

  #request(send: (request: number) => void): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    const request = ++this.#requests;
    return new Promise((resolve) => {
      this.#taken.set(request, resolve);
      send(request);
    });
  }

  #send(message: ToCamera, transfer: readonly MessagePortLike[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromCamera): void {
    switch (message.kind) {
      case 'insights':
        return this.#handlers.onInsights(message.frame);
      case 'state':
        return this.#update({ state: message.state.state, reason: message.state.reason }, 'state');
      case 'stream': {
        const { width, height, codec, fps, decoder } = message;
        return this.#update({ width, height, codec, fps, decoder }, 'stream');
      }
      case 'taken':
        this.#taken.get(message.request)?.();
        this.#taken.delete(message.request);
        return;
      case 'view': {
        const { view: before, ...others } = this.#status;
        this.#status = message.view ? { ...others, view: message.view } : others;
        return before === message.view ? undefined : this.#handlers.onStatus(this.#status, 'state');
      }
      case 'why':
        this.#asked.get(message.request)?.(message.answer);
        this.#asked.delete(message.request);
        return;
      case 'export':
        return this.#handlers.onExport(message.post);
      case 'counters':
        return this.#update({ counters: message.counters }, 'counters');
      case 'nodes':
        return this.#update({ counters: { ...this.#status.counters, nodes: message.nodes } }, 'state');
      case 'recording':
        return this.#update({ recording: message.on }, 'recording');
      case 'liveHeader':
      case 'livePacket':
      case 'liveInsights':
        return this.#handlers.onLive(message);
      case 'clip':
        return this.#handlers.onClip(message.clip);
      case 'problem':
        return this.#handlers.onProblem(message.code, message.message);
      case 'log':
        return this.#logger[message.level](message.text, message.fields);
    }
  }

  #update(change: Partial<CameraStatus>, what: 'state' | 'stream' | 'counters' | 'recording'): void {
    this.#status = { ...this.#status, ...change };
    this.#handlers.onStatus(this.#status, what);
  }
}

type MessagePortLike = CameraModel['port'];
