import type { Fit } from '../fit.ts';
import type { NetworkInfo, ParserMatch, TensorData, TensorInfo } from '../parsers/types.ts';
import type { ModelResult, OutputTask } from '../results.ts';

export interface TaskOptions {
  /** By class id, or the characters of an alphabet. */
  readonly labels: readonly string[];
  /** Labels of each head of a classifier with several (nvinfer: a line of the label file each, split at `;`). */
  readonly labelRows?: readonly (readonly string[])[];
  /** `gie-unique-id`. */
  readonly componentId: number;
  /** `classifier-threshold`, `segmentation-threshold`, or the least score of a keypoint; 0 to 1. */
  readonly threshold?: number;
  /** Classes to report of each head, best first. Default 1. */
  readonly topK?: number;
  /** `classifier-type`: what a classification is called instead of its output. */
  readonly classifierType?: string;
}

/**
 * Reads one picture of a batch. Results own their memory, except raw tensors.
 *
 * @param fit where the picture lies in the network's input
 */
export type ReadOutputs = (tensors: readonly TensorData[], batchIndex: number, fit: Fit) => ModelResult;

/** One kind of head that is no detector. A new one is one file and one line in the registry. */
export interface TaskParser {
  /** Lower case, with dashes; what a user writes in `parser`. */
  readonly name: string;
  /** Other names it answers to, such as DeepStream's function names. */
  readonly aliases: readonly string[];
  readonly task: Exclude<OutputTask, 'detection'>;
  /** Where the layout is defined: a public repository and file, or a paper. */
  readonly source: string;
  /** Undefined when the outputs cannot be this kind's. */
  match(outputs: readonly TensorInfo[], net: NetworkInfo): ParserMatch | undefined;
  /** Call only with outputs that matched. */
  create(outputs: readonly TensorInfo[], net: NetworkInfo, options: TaskOptions): ReadOutputs;
}
