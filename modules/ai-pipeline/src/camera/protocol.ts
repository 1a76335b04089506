import type { MessagePort } from 'node:worker_threads';
import type { AnalyticsSpec } from '@vantage/deepstream';
import type { DecoderReport, Dewarp, Ffmpeg, HardwareDecode } from '@vantage/media';
import type { FrameInsights, GraphEdge, PixelRect, SourceNode } from '@vantage/skill';
import type { TrackerName, TrackerSpec } from '@vantage/vision';
import type { WhyAnswer, WhyQuery } from '../why/why-types.ts';
import type { EdgeCounters } from './edge-queue.ts';
import type { ExportPost } from './export/export-stage.ts';
import type { BranchModel, CameraGraph } from './graph/camera-graph.ts';
import type { NodeReport } from './graph/graph-runner.ts';
import type { ViewStatus } from './health/camera-health.ts';
import type { SecondaryRules } from './secondary-memory.ts';

/** How clips of one camera are made. Seconds are of the stream's own clock. */
export interface RecordingSettings {
  /** Finished clips land here, whole and under their final name. */
  readonly folder: string;
  /** `<prefix>-<time>[_<sensor>]` */
  readonly prefix: string;
  /** Set when several cameras record under the same prefix. */
  readonly sensorSuffix: boolean;
  readonly pipelineId: string;
  readonly preRollSeconds: number;
  /** A recording goes on for so long after it was told to stop. */
  readonly postRollSeconds?: number;
  /** A new clip begins at the next key frame after this long. */
  readonly clipSeconds: number;
  /** A recording ends by itself this long after it was last asked for; 0 = never. */
  readonly autoStopSeconds: number;
}

/** The primary model as a camera sees it. */
export interface CameraModel {
  readonly port: MessagePort;
  readonly network: { readonly width: number; readonly height: number };
  readonly keepAspect: boolean;
  /** swscale flags, where the model's configuration names a filter. */
  readonly scaleFlags?: string;
  readonly labels: readonly string[];
  readonly componentId: number;
  /** Only every `interval + 1`th frame is looked at. */
  readonly interval: number;
}

/** A secondary model as a camera sees it. */
export interface CameraSecondary {
  readonly node: string;
  readonly order: number;
  readonly port: MessagePort;
  readonly rules: SecondaryRules;
}

/** Which tracker, and of what. */
export interface TrackerSetup {
  readonly runsAs: TrackerName | TrackerSpec;
  /** Empty: all. */
  readonly classIds: readonly number[];
}

/** Rules of an nvdsanalytics file, and the number of the camera in them. */
export interface AnalyticsSetup {
  readonly spec: AnalyticsSpec;
  readonly stream: number;
}

/** What a camera's thread is started with. */
export interface CameraSetup {
  readonly sensor: string;
  readonly url: string;
  readonly dewarp?: Dewarp;
  readonly crop?: PixelRect;
  /** At most so many frames a second. */
  readonly maxFps?: number;
  readonly hardware?: HardwareDecode;
  readonly pace: 'realtime' | 'asFastAsPossible';
  readonly loop: boolean;
  readonly ffmpeg: Ffmpeg;
  readonly tracker?: TrackerSetup;
  readonly analytics?: AnalyticsSetup;
  /** Of the edge between the camera and its model. */
  readonly queue: GraphEdge['queue'];
  readonly recording?: RecordingSettings;
  /** Where clips of snippet nodes go, too. Absent: none are made. */
  readonly clipFolder?: string;
  readonly regions: readonly ClipRegion[];
  readonly health?: SourceNode['health'];
  /** What lies behind the trunk. Absent: a graph of `pipelineConfigs`, which is all trunk. */
  readonly graph?: CameraGraph;
}

export interface ClipRegion {
  readonly label: string;
  readonly color: string;
  readonly coordinates: readonly (readonly [x: number, y: number])[];
}

export type ToCamera =
  | {
      readonly kind: 'open';
      readonly model?: CameraModel;
      readonly secondaries: readonly CameraSecondary[];
      readonly branchModels: readonly BranchModel[];
    }
  /** Takes over between two frames, and `taken` says so; the camera is not opened again. */
  | { readonly kind: 'model'; readonly model?: CameraModel; readonly request: number }
  | {
      readonly kind: 'secondary';
      readonly node: string;
      /** Absent: it is left out from now on. */
      readonly secondary?: CameraSecondary;
      readonly request: number;
    }
  /** Of the graph behind the trunk, between two frames. */
  | {
      readonly kind: 'branchModel';
      readonly node: string;
      readonly model?: BranchModel;
      readonly request: number;
    }
  /** What is equal to before goes on. */
  | { readonly kind: 'graph'; readonly graph: CameraGraph }
  | { readonly kind: 'picture'; readonly crop?: PixelRect; readonly maxFps?: number }
  | { readonly kind: 'record'; readonly on: boolean; readonly reason: string }
  | { readonly kind: 'recordingSettings'; readonly settings: RecordingSettings }
  | { readonly kind: 'regions'; readonly regions: readonly ClipRegion[] }
  | { readonly kind: 'tracker'; readonly tracker?: TrackerSetup }
  | { readonly kind: 'analytics'; readonly analytics?: AnalyticsSetup }
  /** `LiveMessage`s go to the main thread from now on, packets from the last key frame; `unwatch` ends it. */
  | { readonly kind: 'watch' }
  | { readonly kind: 'unwatch' }
  | { readonly kind: 'health'; readonly health?: SourceNode['health'] }
  /** Answered by `why`. */
  | { readonly kind: 'why'; readonly query: WhyQuery; readonly request: number }
  | { readonly kind: 'stop' };

export interface CameraState {
  readonly state: 'connecting' | 'running' | 'reconnecting' | 'ended' | 'failed';
  readonly reason: string;
  readonly attempt: number;
}

export interface SecondaryCounters {
  /** Objects that it looked at. */
  readonly looked: number;
  /** Frames that it failed on. */
  readonly errors: number;
  /** Mean time for an object. */
  readonly inferenceMs: number;
}

/** Counters since the camera was opened; `dropped` by reason. */
export interface CameraCounters {
  readonly frames: number;
  readonly analysed: number;
  readonly dropped: Readonly<Record<'busy' | 'error', number>>;
  readonly packets: number;
  readonly reconnects: number;
  /** Mean time in the session over the last second, milliseconds. */
  readonly inferenceMs: number;
  /** Edges of the graph that start at this camera, by name. */
  readonly edges: Readonly<Record<string, EdgeCounters>>;
  /** Secondary models, by node. */
  readonly secondaries: Readonly<Record<string, SecondaryCounters>>;
  /** What lies behind the trunk, by node. */
  readonly nodes: Readonly<Record<string, NodeReport>>;
}

export interface ClipReport {
  readonly path: string;
  readonly sensor: string;
  readonly frames: number;
  readonly seconds: number;
  readonly sizeBytes: number;
  readonly objects: number;
}

/** The encoded stream and what is seen in it; sent only while somebody watches. */
export type LiveMessage =
  /** Of the packets that follow: NUT, as `VideoSource.onHeader` gives it. */
  | { readonly kind: 'liveHeader'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'livePacket';
      readonly ptsUs: number;
      readonly key: boolean;
      readonly bytes: Uint8Array;
      readonly captureTimeMs: number;
      /** It came before somebody watched. */
      readonly replayed: boolean;
    }
  /** Of a graph with branches, where a frame leaves its trunk: elsewhere `insights` says the same. */
  | { readonly kind: 'liveInsights'; readonly frame: FrameInsights };

export type FromCamera =
  | LiveMessage
  | { readonly kind: 'state'; readonly state: CameraState }
  | {
      readonly kind: 'stream';
      readonly width: number;
      readonly height: number;
      readonly codec: string;
      readonly fps: number;
      readonly decoder: DecoderReport;
    }
  /** The old model of this request is not needed any more. */
  | { readonly kind: 'taken'; readonly request: number }
  | { readonly kind: 'insights'; readonly frame: FrameInsights }
  /** Undefined: nobody watches it any more. */
  | { readonly kind: 'view'; readonly view: ViewStatus | undefined }
  | { readonly kind: 'why'; readonly request: number; readonly answer: WhyAnswer }
  | { readonly kind: 'counters'; readonly counters: CameraCounters }
  /** What an export node sends. */
  | { readonly kind: 'export'; readonly post: ExportPost }
  /** The state of a node behind the trunk changed. */
  | { readonly kind: 'nodes'; readonly nodes: CameraCounters['nodes'] }
  | { readonly kind: 'recording'; readonly on: boolean; readonly reason: string }
  | { readonly kind: 'clip'; readonly clip: ClipReport }
  | { readonly kind: 'problem'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'log';
      readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
