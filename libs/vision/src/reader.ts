import { CandidateList } from './candidates.ts';
import { unexpectedOutput } from './errors.ts';
import { toDetections, type Fit } from './fit.ts';
import type { OutputChoice } from './parsers/choose.ts';
import type { NetworkInfo, ParseSettings, TensorData, TensorInfo } from './parsers/types.ts';
import { PeakFinder, type ScorePeak } from './peaks.ts';
import type { ModelResult } from './results.ts';
import { Suppressor, type SuppressionSettings } from './suppress.ts';
import type { TaskOptions } from './tasks/types.ts';
import { FloatTensors, elementCount } from './tensor-view.ts';

export interface OutputReaderOptions extends TaskOptions {
  readonly choice: OutputChoice;
  /** As the model declares them, in the order of the tensors that will be read. */
  readonly outputs: readonly TensorInfo[];
  readonly net: NetworkInfo;
  /** Thresholds of a detector. */
  readonly settings: ParseSettings;
  /** Clustering of a detector; `mode` is mostly `choice.suppression` unless configured. */
  readonly suppression: SuppressionSettings;
}

/** What the last read left out, for counters and the doctor. */
export interface ReaderCounts {
  /** Boxes whose score or coordinates were no numbers. */
  readonly invalid: number;
  /** Boxes beyond the bound of one frame. */
  readonly overflow: number;
}

/** From the output tensors of a model of any kind to its results. One for each worker; buffers are used again. */
export interface OutputReader {
  /**
   * Reads one picture of a batch.
   *
   * @param fit where the picture lies in the network's input; results are in pixels of that picture
   * @throws VantageError `MODEL_OUTPUT_UNEXPECTED` when the tensors are not those that the model declares
   */
  read(tensors: readonly TensorData[], batchIndex: number, fit: Fit): ModelResult;
  /** Detectors: the best score of each class in the picture that was read last, also of what was not kept. */
  peaks?(tensors: readonly TensorData[], batchIndex: number): readonly ScorePeak[];
  readonly counts: ReaderCounts;
}

export function createOutputReader(options: OutputReaderOptions): OutputReader {
  const { choice, outputs, net } = options;
  const floats = new FloatTensors();
  if (choice.task !== 'detection') {
    const { parser } = choice;
    const read = parser.create(outputs, net, options);
    return {
      counts: { invalid: 0, overflow: 0 },
      read(tensors, batchIndex, fit) {
        checkTensors(tensors, outputs, batchIndex);
        return read(choice.task === 'tensors' ? tensors : floats.convert(tensors), batchIndex, fit);
      },
    };
  }
  const { parser } = choice;
  const parse = parser.create(outputs, net);
  const readMask = parser.createMasks?.(outputs, net);
  const candidates = new CandidateList();
  const suppressor = new Suppressor();
  const { settings, suppression } = options;
  let finder: PeakFinder | undefined;
  return {
    counts: candidates,
    peaks(given, batchIndex) {
      finder ??= new PeakFinder(parse, settings);
      return finder.find(floats.convert(given), batchIndex, options.labels);
    },
    read(given, batchIndex, fit) {
      checkTensors(given, outputs, batchIndex);
      const tensors = floats.convert(given);
      candidates.reset();
      parse(tensors, batchIndex, settings, candidates);
      const kept = suppressor.run(candidates, suppression);
      const maskOf = readMask && ((index: number) => readMask(tensors, batchIndex, candidates, index, fit));
      return { task: 'detection', detections: toDetections(candidates, kept, fit, options, maskOf) };
    },
  };
}

/**
 * Compares tensors with what a model declares, so that parsers need not look at every index.
 *
 * @throws VantageError `MODEL_OUTPUT_UNEXPECTED`
 */
export function checkTensors(tensors: readonly TensorData[], outputs: readonly TensorInfo[], batchIndex: number): void {
  for (const [index, { name, dims }] of outputs.entries()) {
    const tensor = tensors[index];
    if (tensor === undefined) throw unexpectedOutput(`the model gave no output ${name}`);
    const shape = `[${tensor.dims.join(', ')}]`;
    const fits =
      tensor.dims.length === dims.length &&
      dims.every((dim, axis) => dim < 0 || axis === 0 || dim === tensor.dims[axis]);
    if (!fits) throw unexpectedOutput(`output ${name} came as ${shape}, the model declares [${dims.join(', ')}]`);
    // Outputs that name the picture in each row have no batch dimension; those of one element a picture have.
    const [batch = 1] = tensor.dims;
    if (!(batchIndex >= 0) || (dims[0] === 1 && batch === 1 && batchIndex > 0 && dims.length === 3)) {
      throw unexpectedOutput(`there is no picture ${batchIndex} in a batch of ${batch} (output ${name} ${shape})`);
    }
    const count = elementCount(tensor.dims);
    if (tensor.data.length < count) {
      throw unexpectedOutput(`output ${name} ${shape} should hold ${count} numbers, it has ${tensor.data.length}`);
    }
  }
}
