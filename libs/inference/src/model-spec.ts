import type { InferSpec } from '@vantage/deepstream';

/**
 * Everything a session needs to know about a model, as plain data: it crosses into worker threads by structured clone.
 * File paths are absolute.
 */
export interface ModelSpec {
  /** Name for logs and reported properties, such as the configuration's file name. */
  readonly name: string;
  readonly onnxFile: string;
  readonly infer: InferSpec;
  /** Index is the class id. May be shorter than the model's classes; such a class is labelled `class-<id>`. */
  readonly labels: readonly string[];
  /** Output parser asked for by name; otherwise `infer.parserFunction`, otherwise the output shapes decide. */
  readonly parser?: string;
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
}
