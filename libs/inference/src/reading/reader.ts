import type { ScorePeak, TensorData } from '@vantage/vision';
import type { ModelOutput } from '../model-output.ts';
import type { Placement } from '../picture/input-tensor.ts';

/** From a network's outputs to what it says about one picture of the batch. */
export interface ModelReader {
  /** Name of the parser, for reports. */
  readonly parser: string;
  readonly reason: string;
  /** Grey value that the family was trained to be padded with. */
  readonly padValue?: number;
  /** Lines of text: they keep their height and have room to the right. */
  readonly isText: boolean;
  /** Whether it may be asked about a picture that is none, to see that it works. */
  readonly canRehearse: boolean;
  /**
   * Results own their memory.
   *
   * @param tensors in the order of the model's outputs; read before the first wait
   * @throws VantageError `MODEL_OUTPUT_UNEXPECTED` when they are not those that the model declares
   */
  read(tensors: readonly TensorData[], index: number, placement: Placement): ModelOutput | Promise<ModelOutput>;
  /** Of a picture that was just read: the best score of each class, also of what was not kept. */
  peaks?(tensors: readonly TensorData[], index: number): readonly ScorePeak[];
  close?(): Promise<void>;
}
