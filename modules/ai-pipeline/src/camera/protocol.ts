import type { MessagePort } from 'node:worker_threads';
import type { Ffmpeg } from '@vantage/media';
import type { FrameInsights, PixelRect } from '@vantage/skill';

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
  /** A new clip begins at the next key frame after this long. */
  readonly clipSeconds: number;
  /** A recording ends by itself this long after it was last asked for; 0 = never. */
  readonly autoStopSeconds: number;
}

/** The model as a camera sees it. */
export interface CameraModel {
  readonly port: MessagePort;
  readonly network: { readonly width: number; readonly height: number };
  readonly keepAspect: boolean;
  readonly labels: readonly string[];
  readonly componentId: number;
  /** Only every `interval + 1`th frame is looked at. */
  readonly interval: number;
}

/** What a camera's thread is started with. */
export interface CameraSetup {
  readonly sensor: string;
  readonly url: string;
  readonly crop?: PixelRect;
  readonly pace: 'realtime' | 'asFastAsPossible';
  readonly loop: boolean;
  readonly ffmpeg: Ffmpeg;
  readonly track: boolean;
  readonly recording?: RecordingSettings;
  readonly regions: readonly ClipRegion[];
}

export interface ClipRegion {
  readonly label: string;
  readonly color: string;
  readonly coordinates: readonly (readonly [x: number, y: number])[];
}

export type ToCamera =
  | { readonly kind: 'open'; readonly model?: CameraModel }
  /** Takes over between two frames; the camera is opened anew only where the picture's size has to change. */
  | { readonly kind: 'model'; readonly model?: CameraModel }
  | { readonly kind: 'record'; readonly on: boolean; readonly reason: string }
  | { readonly kind: 'recordingSettings'; readonly settings: RecordingSettings }
  | { readonly kind: 'regions'; readonly regions: readonly ClipRegion[] }
  | { readonly kind: 'tracker'; readonly track: boolean }
  | { readonly kind: 'stop' };

export interface CameraState {
  readonly state: 'connecting' | 'running' | 'reconnecting' | 'ended' | 'failed';
  readonly reason: string;
  readonly attempt: number;
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
}

export interface ClipReport {
  readonly path: string;
  readonly sensor: string;
  readonly frames: number;
  readonly seconds: number;
  readonly sizeBytes: number;
  readonly objects: number;
}

export type FromCamera =
  | { readonly kind: 'state'; readonly state: CameraState }
  | {
      readonly kind: 'stream';
      readonly width: number;
      readonly height: number;
      readonly codec: string;
      readonly fps: number;
    }
  | { readonly kind: 'insights'; readonly frame: FrameInsights }
  | { readonly kind: 'counters'; readonly counters: CameraCounters }
  | { readonly kind: 'recording'; readonly on: boolean; readonly reason: string }
  | { readonly kind: 'clip'; readonly clip: ClipReport }
  | { readonly kind: 'problem'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'log';
      readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error';
      readonly text: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };
