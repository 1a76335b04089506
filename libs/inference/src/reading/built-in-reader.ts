import {
  TASK_PARSERS,
  chooseOutputs,
  createOutputReader,
  type ModelResult,
  type NetworkInfo,
  type OutputChoice,
  type TensorData,
  type TensorInfo,
} from '@vantage/vision';
import { EMPTY_OUTPUT, type ModelOutput } from '../model-output.ts';
import type { ModelSpec } from '../model-spec.ts';
import { classLimits } from './class-limits.ts';
import { suppressionOf, thresholdsOf } from './detector-settings.ts';
import { detectionInFrame, poseInFrame } from './in-frame.ts';
import type { ModelReader } from './reader.ts';

/**
 * Reads outputs with a parser of `@vantage/vision`: the one that is asked for, else the one that fits.
 *
 * @throws VantageError `PARSER_UNKNOWN`, `PARSER_DOES_NOT_FIT`
 */
export function openBuiltInReader(
  spec: ModelSpec,
  declared: readonly TensorInfo[],
  size: { readonly width: number; readonly height: number },
): ModelReader {
  const { infer, labels, labelRows } = spec;
  const net: NetworkInfo = {
    width: size.width,
    height: size.height,
    labels,
    ...(infer.classCount === undefined ? {} : { classCount: infer.classCount }),
  };
  const picked = pickedOutputs(declared, infer.outputBlobNames);
  const outputs = picked.map((index) => declared[index] as TensorInfo);
  const choice = withoutIdleMasks(
    chooseOutputs({ requested: requestedParser(spec), networkType: infer.networkType, outputs, net }),
    spec,
  );
  const isDetector = choice.task === 'detection';
  const options = {
    labels,
    ...(labelRows === undefined ? {} : { labelRows }),
    componentId: infer.gieUniqueId,
    ...thresholdOf(choice, spec),
    ...(infer.classifierType === undefined ? {} : { classifierType: infer.classifierType }),
  };
  const reader = createOutputReader({
    ...options,
    choice,
    outputs,
    net,
    settings: thresholdsOf(infer),
    suppression: suppressionOf(infer, isDetector ? choice.suppression : 'none'),
  });
  const raw =
    infer.outputTensorMeta && choice.task !== 'tensors'
      ? TASK_PARSERS.find(({ task }) => task === 'tensors')?.create(declared, net, options)
      : undefined;
  const isWithinLimits = classLimits(infer.classAttributes);
  const all = picked.length === declared.length;
  const ownOf = (tensors: readonly TensorData[]): readonly TensorData[] =>
    all ? tensors : picked.map((at) => tensors[at] as TensorData);
  return {
    parser: choice.parser.name,
    reason: choice.reason,
    ...(isDetector && choice.parser.network.padValue !== undefined ? { padValue: choice.parser.network.padValue } : {}),
    isText: choice.task === 'text',
    canRehearse: true,
    peaks: (tensors, index) => reader.peaks?.(ownOf(tensors), index) ?? [],
    read(tensors, index, { fit, left, top }) {
      const own = ownOf(tensors);
      let result = reader.read(own, index, fit);
      if (result.task === 'detection' && isWithinLimits) {
        const { detections } = result;
        result = { task: 'detection', detections: detections.filter((one) => isWithinLimits(one, fit.sourceHeight)) };
      }
      return { ...outputOf(result, left, top), ...(raw ? tensorsOf(raw(tensors, index, fit)) : {}) };
    },
  };
}

/** `output-blob-names` picks among the outputs where it names outputs of this model. */
function pickedOutputs(declared: readonly TensorInfo[], wanted: readonly string[]): number[] {
  const indexes = wanted.map((name) => declared.findIndex((output) => output.name === name));
  return indexes.length === 0 || indexes.includes(-1) ? declared.map((_, index) => index) : indexes;
}

function requestedParser({ parser, infer }: ModelSpec): string | undefined {
  if (parser !== undefined) return parser;
  switch (infer.networkType) {
    case 'classifier':
      return infer.classifierParserFunction;
    case 'instance-segmentation':
      return infer.instanceMaskParserFunction ?? infer.parserFunction;
    case 'detector':
    case 'segmentation':
    case 'other':
      return infer.parserFunction;
  }
}

/** Masks are made where they are asked for: they cost more than the boxes. */
function withoutIdleMasks(choice: OutputChoice, { infer }: ModelSpec): OutputChoice {
  if (choice.task !== 'detection' || infer.networkType === 'instance-segmentation' || infer.outputInstanceMask) {
    return choice;
  }
  const parser = { ...choice.parser };
  delete parser.createMasks;
  return { ...choice, parser };
}

function thresholdOf({ task }: OutputChoice, { infer }: ModelSpec): { threshold?: number } {
  if (task === 'classification') return { threshold: infer.classifierThreshold };
  return task === 'segmentation' ? { threshold: infer.segmentationThreshold } : {};
}

function outputOf(result: ModelResult, dx: number, dy: number): ModelOutput {
  switch (result.task) {
    case 'detection':
      return { detections: result.detections.map((one) => detectionInFrame(one, dx, dy)), attributes: [] };
    case 'classification':
      return { detections: [], attributes: result.classifications };
    case 'segmentation':
      return { ...EMPTY_OUTPUT, segmentation: result.map };
    case 'pose':
      return { ...EMPTY_OUTPUT, poses: result.poses.map((pose) => poseInFrame(pose, dx, dy)) };
    case 'embedding':
      return { ...EMPTY_OUTPUT, embedding: result.embedding.values };
    case 'text': {
      const [text] = result.readings;
      return text === undefined ? EMPTY_OUTPUT : { ...EMPTY_OUTPUT, text };
    }
    case 'tensors':
      return { ...EMPTY_OUTPUT, ...tensorsOf(result) };
  }
}

/** The runtime's memory is its own: what is kept is copied. */
function tensorsOf(result: ModelResult): Pick<ModelOutput, 'tensors'> {
  if (result.task !== 'tensors') return {};
  return {
    tensors: result.tensors.map(({ name, dims, type, data }): TensorData => {
      return { name, dims, type, data: (data as TensorData['data']).slice() };
    }),
  };
}
