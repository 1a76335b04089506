import type { InferSpec } from '@vantage/deepstream';
import type { ExecutionProvider } from './runners/runner.ts';

/**
 * Everything a session needs to know about a model, as plain data: it crosses into worker threads by structured clone.
 * File paths are absolute.
 */
export interface ModelSpec {
  /** Name for logs and reported properties, such as the configuration's file name. */
  readonly name: string;
  /** Not looked at by the `remote` backend, which may leave it empty. */
  readonly onnxFile: string;
  readonly infer: InferSpec;
  /** Index is the class id. May be shorter than the model's classes; such a class is labelled `class-<id>`. */
  readonly labels: readonly string[];
  /** Labels of each head of a classifier with several: a line of the label file each, split at `;`. */
  readonly labelRows?: readonly (readonly string[])[];
  /** Output parser asked for by name; otherwise the one `infer` names, otherwise the output shapes decide. */
  readonly parser?: string;
  /** The file that `infer.meanFile` names. */
  readonly meanFile?: string;
  /** Reads the outputs instead of a built-in parser. */
  readonly customParser?: CustomParserSpec;
  /** Where the network runs. Default `worker`: ONNX Runtime in the thread that reads its outputs. */
  readonly backend?: 'worker' | 'sidecar' | { readonly remote: RemoteModel };
  /** Providers in the order they are tried, `cpu` is always the last. Default `['cpu']`. */
  readonly providers?: readonly ExecutionProvider[];
}

/** A file with a parser of the user's own (contract D.4). */
export interface CustomParserSpec {
  readonly kind: 'python' | 'js';
  /** Absolute. */
  readonly file: string;
  /** Time for one frame. */
  readonly deadlineMs?: number;
  readonly memoryLimitMb?: number;
}

/** A model on a server that speaks the Open Inference Protocol v2. */
export interface RemoteModel {
  /** `host:port`. */
  readonly url: string;
  readonly model: string;
  /** Absent for the latest. */
  readonly version?: number;
  /** Time for one batch. */
  readonly deadlineMs?: number;
}

/** How a model uses the processor's cores. */
export interface SessionLayout {
  readonly sessions: number;
  /** Threads of each session. */
  readonly threads: number;
  /** What was measured, or why nothing was. */
  readonly reason: string;
}

/** How pictures share a run. */
export interface Batching {
  /** Pictures of different cameras that share a run at most. */
  readonly pictures: number;
  /** How long a picture waits at most for others to share a run with. */
  readonly waitMs: number;
  /** Regions of one picture that share a run at most. */
  readonly regions: number;
  readonly reason: string;
}

/** What a session found out while it loaded. Goes to the reported properties as it is. */
export interface ModelReport {
  readonly name: string;
  /** `images float32 [1,3,416,416]` */
  readonly input: string;
  readonly outputs: readonly string[];
  readonly network: { readonly width: number; readonly height: number };
  readonly parser: string;
  readonly parserReason: string;
  /** The execution provider that really runs the model. */
  readonly provider: string;
  /** Why not a faster one; absent when the first choice was had. */
  readonly providerReason?: string;
  readonly loadMs: number;
  readonly warmUpMs: number;
  /** Time of one run with one picture in one session, measured when it was loaded. */
  readonly runMs?: number;
  /** Where bytes become the network's numbers: by operators in front of the network, or by a loop over the pixels. */
  readonly preprocessing?: 'in the session' | 'before the session';
  readonly layout?: SessionLayout;
  readonly batching?: Batching;
}
