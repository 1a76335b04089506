import type { InferenceBackend, ModelReport, ModelSpec } from '@vantage/inference';
import type { Ffmpeg, HardwareDecode } from '@vantage/media';
import type { Logger } from '@vantage/observability';
import type { FrameInsights, ModelNode } from '@vantage/skill';
import type { ExportPost } from '../camera/export/export-stage.ts';
import type { ClipReport, LiveMessage } from '../camera/protocol.ts';
import type { CameraStatus } from './camera.ts';
import type { Locate } from './node-files.ts';
import type { Problem } from './problem-list.ts';

export interface PipelineStatus {
  readonly id: string;
  /** `degraded`: it runs, but somebody's node does not answer as it should. */
  readonly state: 'loading' | 'running' | 'degraded' | 'failed' | 'stopped';
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
  readonly postRollSeconds?: number;
  readonly clipSeconds: number;
  readonly autoStopSeconds: number;
}

export interface PipelineHandlers {
  readonly onInsights: (pipeline: string, frame: FrameInsights) => void;
  /** Of a node with another target than `inference`, whose frames are insights. */
  readonly onExport: (pipeline: string, post: ExportPost) => void;
  readonly onClip: (pipeline: string, clip: ClipReport) => void;
  readonly onLive: (pipeline: string, sensor: string, message: LiveMessage) => void;
  /** Whether somebody watches a camera: asked when it is opened. */
  readonly isWatched: (pipeline: string, sensor: string) => boolean;
  readonly onStatus: (pipeline: string) => void;
  readonly onProblem: (problem: Problem) => void;
}
