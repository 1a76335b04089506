import type { CandidateList } from '../candidates.ts';
import type { Mask } from '../detection.ts';
import type { Fit } from '../fit.ts';

/** An output of a model as its file declares it. */
export interface TensorInfo {
  readonly name: string;
  /** -1 where the size is only known at run time. */
  readonly dims: readonly number[];
  /** ONNX element type: `float32`, `int64`, ... */
  readonly type: string;
}

/** Real value = (element - zeroPoint) * scale. */
export interface Quantisation {
  readonly scale: number;
  readonly zeroPoint: number;
}

export type TensorElements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** An output of a model after a run. `dims` are complete. */
export interface TensorData {
  readonly name: string;
  readonly dims: readonly number[];
  /** 16-bit unsigned elements are half precision floats unless `type` says `uint16`. */
  readonly data: TensorElements;
  /** ONNX element type, where it is known. */
  readonly type?: string;
  /** For quantised outputs. */
  readonly quantisation?: Quantisation;
}

/** What a parser knows of the network besides its outputs. */
export interface NetworkInfo {
  /** Input size in pixels. */
  readonly width: number;
  readonly height: number;
  /** `num-detected-classes`, where configured. */
  readonly classCount?: number;
  /** Lines of the label file, where there is one. */
  readonly labels?: readonly string[];
  /** The name that a parser was asked for by, where it was: some layouts differ by nothing else. Set by the chooser. */
  readonly requested?: string;
  /** Width and height of anchor boxes, for parsers with anchors: cells for YOLOv2, network pixels for others. */
  readonly anchors?: readonly number[];
}

/** Score thresholds, by class. Make one with `parseSettings`. */
export interface ParseSettings {
  /** Candidates of class `c` need a score of at least `thresholds[c]`; Infinity switches a class off. */
  readonly thresholds: Float32Array;
  /** For classes beyond `thresholds`. */
  readonly otherThreshold: number;
  /** The least of all of them: lets a parser skip a box before it looks at its classes. */
  readonly lowestThreshold: number;
}

/**
 * Reads one picture of a batch.
 *
 * @param tensors all outputs, in the order of the `outputs` given to `create`; only read
 * @param batchIndex which picture of the batch
 * @param into candidates are appended, in network pixels; the caller resets it between frames
 */
export type ParseOutputs = (
  tensors: readonly TensorData[],
  batchIndex: number,
  settings: ParseSettings,
  into: CandidateList,
) => void;

/**
 * Reads the mask of one candidate that survived suppression, stretched over the part of its box that is inside of the
 * picture; undefined if it has none.
 */
export type ReadMask = (
  tensors: readonly TensorData[],
  batchIndex: number,
  candidates: CandidateList,
  index: number,
  fit: Fit,
) => Mask | undefined;

/** How well a parser fits. */
export interface ParserMatch {
  /** 0 to 1: the best of all wins. */
  readonly score: number;
  /** Half a sentence for the report: what was seen. */
  readonly reason: string;
  /** Overrides the parser's own suppression where the shape tells. */
  readonly suppression?: 'nms' | 'none';
}

/** One family of detector heads. A new one is one file and one line in the registry. */
export interface OutputParser {
  /** Lower case, with dashes; what a user writes in `parser`. */
  readonly name: string;
  /** Other names it answers to: DeepStream's `parse-bbox-func-name`s of the same layout, spellings. */
  readonly aliases: readonly string[];
  /** Names of whole families, tried when no parser that owns the name fits (`NvDsInferParseYolo`). */
  readonly standsInFor?: readonly string[];
  /** Where the layout is defined: a public repository and file, or a paper. */
  readonly source: string;
  readonly network: {
    /** Grey value that the family was trained to be padded with. nvinfer pads with 0 whatever the model. */
    readonly padValue?: number;
    /** What has to be done with overlapping boxes when the config does not say. */
    readonly suppression: 'nms' | 'none';
  };
  /** Undefined when the outputs cannot be this family's. */
  match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined;
  /** Call only with outputs that matched. */
  create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs;
  /** For heads with instance masks; undefined when these outputs have none. */
  createMasks?(outputs: readonly TensorInfo[], net: NetworkInfo): ReadMask | undefined;
}
