/** What a model file says of itself. */
export interface OnnxModel {
  readonly irVersion: number;
  /** Version of each set of operators; the standard one has the domain `ai.onnx`. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Program that wrote the file, with its version: `pytorch 2.4.0`. Empty where it does not say. */
  readonly producer: string;
  /** `ModelProto.domain`, `model_version`, `doc_string`. */
  readonly domain: string;
  readonly modelVersion: number;
  readonly description: string;
  readonly graphName: string;
  /** Free entries of the exporter, such as the class names and stride of Ultralytics. Entries over 1 MiB are left out. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What has to be fed: inputs that are weights of the file are not among them. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Weights of the main graph. */
  readonly initializers: readonly OnnxInitializer[];
  /** Nodes by operator, subgraphs included; operators of other domains as `com.microsoft.FusedConv`. */
  readonly operators: ReadonlyMap<string, number>;
  /** Files beside the model that hold weights, relative to its folder, sorted. Empty for a model in one file. */
  readonly externalFiles: readonly string[];
}

export interface OnnxValue {
  readonly name: string;
  /** Element type in the words of ONNX Runtime (`float32`), or `sequence`, `map`, `optional`, `sparse`. */
  readonly type: string;
  /** A size, or the name of an open one (`?` without a name). Undefined where not even the rank is said. */
  readonly dims?: readonly (number | string)[];
}

export interface OnnxInitializer {
  readonly name: string;
  readonly type: string;
  readonly dims: readonly number[];
  /** What its numbers take in the file, or in the file beside it. */
  readonly bytes: number;
  /** Where its numbers are, when they are in another file. */
  readonly externalFile?: string;
}
