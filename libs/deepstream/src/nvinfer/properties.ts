import { notUsed, replacedBy, used, type Rule, type Rules } from '../rules.ts';
import { choice, flag, integer, integers, number, numbers, string, strings, type Draft } from '../values.ts';
import type { ClassAttributes, ClusterMode, ColorFormat, InferSpec, NetworkType } from './spec.ts';

export type InferDraft = Draft<InferSpec>;

const NETWORK_MODES = new Map<string, InferSpec['networkMode']>([
  ['0', 'fp32'],
  ['1', 'int8'],
  ['2', 'fp16'],
]);
const NETWORK_TYPES = new Map<string, NetworkType>([
  ['0', 'detector'],
  ['1', 'classifier'],
  ['2', 'segmentation'],
  ['3', 'instance-segmentation'],
  ['100', 'other'],
]);
const CLUSTER_MODES = new Map<string, ClusterMode>([
  ['0', 'group-rectangles'],
  ['1', 'dbscan'],
  ['2', 'nms'],
  ['3', 'hybrid'],
  ['4', 'none'],
]);
const COLOR_FORMATS = new Map<string, ColorFormat>([
  ['0', 'RGB'],
  ['1', 'BGR'],
  ['2', 'GRAY'],
]);
const PROCESS_MODES = new Map<string, InferSpec['processMode']>([
  ['1', 'primary'],
  ['2', 'secondary'],
]);
const INPUT_ORDERS = new Map<string, InferSpec['inputOrder']>([
  ['0', 'NCHW'],
  ['1', 'NHWC'],
]);

const UFF = 'it describes a UFF model, which ONNX Runtime does not run';
const TENSORRT = 'it tunes how TensorRT builds an engine; here the model runs in ONNX Runtime';
const DLA = 'only a Jetson has deep learning accelerators, and only its TensorRT backend uses them';
const NVIDIA_MEMORY = 'it is about buffers of the NVIDIA plugin';
const COMPILED = 'a compiled library is not loaded; a built-in parser is chosen by name or by the outputs of the model';

/** `[property]`, in the words of `gstnvinfer_property_parser.h`. Model files are handled beside this table. */
export const PROPERTY_RULES: Rules<InferDraft> = new Map<string, Rule<InferDraft>>([
  ['onnx-file', used(string((d, v) => void (d.onnxFile = v)))],
  ['labelfile-path', used(string((d, v) => void (d.labelFile = v)))],
  ['net-scale-factor', used(number({}, (d, v) => void (d.netScaleFactor = v)))],
  [
    'offsets',
    used(
      numbers([1, 3], (d, [first = 0, second = first, third = first]) => {
        d.offsets = [first, second, third];
      }),
    ),
  ],
  ['mean-file', used(string((d, v) => void (d.meanFile = v)))],
  ['model-color-format', used(choice(COLOR_FORMATS, (d, v) => void (d.colorFormat = v)))],
  ['infer-dims', used(numbers([3], (d, v) => setDims(d, v)))],
  // The older form: channels;height;width;order.
  ['uff-input-dims', replacedBy(['infer-dims'], used(numbers([3, 4], (d, v) => setLegacyDims(d, v))))],
  ['input-dims', replacedBy(['infer-dims', 'uff-input-dims'], used(numbers([3, 4], (d, v) => setLegacyDims(d, v))))],
  ['network-input-order', used(choice(INPUT_ORDERS, (d, v) => void (d.inputOrder = v)))],
  ['maintain-aspect-ratio', used(flag((d, v) => void (d.maintainAspectRatio = v)))],
  ['symmetric-padding', used(flag((d, v) => void (d.symmetricPadding = v)))],
  ['vantage-pad-value', used(integer({ min: 0, max: 255 }, (d, v) => void (d.padValue = v)))],
  ['scaling-filter', used(integer({ min: 0, max: 6 }, (d, v) => void (d.scalingFilter = v)))],

  ['network-mode', used(choice(NETWORK_MODES, (d, v) => void (d.networkMode = v)))],
  ['network-type', used(choice(NETWORK_TYPES, (d, v) => void (d.networkType = v)))],
  [
    'is-classifier',
    replacedBy(['network-type'], used(flag((d, v) => void (d.networkType = v ? 'classifier' : 'detector')))),
  ],
  ['process-mode', used(choice(PROCESS_MODES, (d, v) => void (d.processMode = v)))],
  ['gie-unique-id', used(integer({ min: 1 }, (d, v) => void (d.gieUniqueId = v)))],
  ['batch-size', used(integer({ min: 1, max: 1024 }, (d, v) => void (d.batchSize = v)))],
  ['interval', used(integer({ min: 0 }, (d, v) => void (d.interval = v)))],
  ['gpu-id', used(integer({ min: 0 }, (d, v) => void (d.gpuId = v)))],

  ['num-detected-classes', used(integer({ min: 0 }, (d, v) => void (d.classCount = v)))],
  ['output-blob-names', used(strings((d, v) => void (d.outputBlobNames = v)))],
  ['parse-bbox-func-name', used(string((d, v) => void (d.parserFunction = v)))],
  ['parse-classifier-func-name', used(string((d, v) => void (d.classifierParserFunction = v)))],
  ['parse-bbox-instance-mask-func-name', used(string((d, v) => void (d.instanceMaskParserFunction = v)))],
  ['cluster-mode', used(choice(CLUSTER_MODES, (d, v) => setClusterMode(d, v)))],
  [
    'enable-dbscan',
    replacedBy(['cluster-mode'], used(flag((d, v) => setClusterMode(d, v ? 'dbscan' : 'group-rectangles')))),
  ],
  ['filter-out-class-ids', used(integers(0, (d, v) => void (d.filterOutClassIds = v)))],
  [
    'crop-objects-to-roi-boundary',
    notUsed(
      'objects keep to the frame, also where they reach beyond the ROI',
      flag((d, v) => void (d.cropObjectsToRoiBoundary = v)),
    ),
  ],

  ['classifier-threshold', used(number({ min: 0 }, (d, v) => void (d.classifierThreshold = v)))],
  [
    'classifier-async-mode',
    notUsed(
      'what a classifier says always travels with the frame that it looked at',
      flag((d, v) => void (d.classifierAsyncMode = v)),
    ),
  ],
  ['classifier-type', used(string((d, v) => void (d.classifierType = v)))],
  ['segmentation-threshold', used(number({ min: 0 }, (d, v) => void (d.segmentationThreshold = v)))],
  [
    'segmentation-output-order',
    notUsed(
      'the order is read from the shape of the output',
      choice(INPUT_ORDERS, (d, v) => void (d.segmentationOutputOrder = v)),
    ),
  ],
  ['output-tensor-meta', used(flag((d, v) => void (d.outputTensorMeta = v)))],
  ['output-instance-mask', used(flag((d, v) => void (d.outputInstanceMask = v)))],

  ['operate-on-gie-id', used(integer({ min: -1 }, (d, v) => void (d.operateOnGieId = v)))],
  ['operate-on-class-ids', used(integers(-1, (d, v) => void (d.operateOnClassIds = v.filter((id) => id >= 0))))],
  ['input-object-min-width', used(integer({ min: 0 }, (d, v) => void (d.inputObjectMinWidth = v)))],
  ['input-object-min-height', used(integer({ min: 0 }, (d, v) => void (d.inputObjectMinHeight = v)))],
  ['input-object-max-width', used(integer({ min: 0 }, (d, v) => void (d.inputObjectMaxWidth = v)))],
  ['input-object-max-height', used(integer({ min: 0 }, (d, v) => void (d.inputObjectMaxHeight = v)))],
  ['secondary-reinfer-interval', used(integer({ min: 0 }, (d, v) => void (d.secondaryReinferInterval = v)))],

  [
    'custom-lib-path',
    notUsed(
      COMPILED,
      string((d, v) => void (d.customLibPath = v)),
    ),
  ],
  ['engine-create-func-name', notUsed(`${TENSORRT}, so there is no engine to create`)],
  ['custom-network-config', notUsed('only the custom library of the config reads it')],
  ['parse-func', notUsed('it belongs to DeepStream 4; name a parser with parse-bbox-func-name')],
  [
    'int8-calib-file',
    notUsed(
      `${TENSORRT}; a quantised ONNX model brings its own scales`,
      string((d, v) => setTensorRt(d, { int8CalibrationFile: v })),
    ),
  ],
  [
    'workspace-size',
    notUsed(
      TENSORRT,
      integer({ min: 0 }, (d, v) => setTensorRt(d, { workspaceSizeMb: v })),
    ),
  ],
  ['force-implicit-batch-dim', notUsed(TENSORRT)],
  ['output-io-formats', notUsed(TENSORRT)],
  ['layer-device-precision', notUsed(TENSORRT)],
  [
    'enable-dla',
    notUsed(
      DLA,
      flag((d, v) => setTensorRt(d, { enableDla: v })),
    ),
  ],
  [
    'use-dla-core',
    notUsed(
      DLA,
      integer({ min: 0, max: 1 }, (d, v) => setTensorRt(d, { dlaCore: v })),
    ),
  ],
  ['scaling-compute-hw', notUsed('frames are scaled by the decoder')],
  ['scaling-buf-pool-size', notUsed(NVIDIA_MEMORY)],
  ['tensor-meta-pool-size', notUsed(NVIDIA_MEMORY)],
  ['disable-output-host-copy', notUsed(NVIDIA_MEMORY)],
  ['auto-inc-mem', notUsed(NVIDIA_MEMORY)],
  ['max-gpu-mem-per', notUsed(NVIDIA_MEMORY)],
  ['clip-object-outside-roi', notUsed('there is no nvdspreprocess with regions in front of the model')],
  ['raw-output-file-write', notUsed('tensors are not dumped')],
  ['input-tensor-from-meta', notUsed('there is no nvdspreprocess in front of the model')],
  ['dump-input-tensor', notUsed('tensors are not dumped')],
  ['dump-output-tensor', notUsed('tensors are not dumped')],
  ['tlt-model-key', notUsed('it is the key of an encrypted TAO model, which ONNX Runtime does not run')],
  ['uff-input-order', notUsed(UFF)],
  ['uff-input-blob-name', notUsed(UFF)],
  ['enable-output-landmark', notUsed('points of a model are always passed on')],
  ['alignment-type', notUsed('faces are not aligned before a secondary model')],
]);

/** A class-attributes group in the making. */
export type AttributesDraft = Draft<ClassAttributes>;

/** `threshold` is the older name of `pre-cluster-threshold`: nvinfer takes the two in the order of the file. */
export const SAME_ATTRIBUTES: ReadonlyMap<string, string> = new Map([['threshold', 'pre-cluster-threshold']]);

const COLOURS = 'colours of boxes are not taken from the model configuration';
const limit = (assign: (d: AttributesDraft, v: number) => void): Rule<AttributesDraft> =>
  used(integer({ min: 0 }, assign));
const fraction = (assign: (d: AttributesDraft, v: number) => void): Rule<AttributesDraft> =>
  used(number({ min: 0, max: 1 }, assign));

/** `[class-attrs-all]` and `[class-attrs-N]`. */
export const CLASS_RULES: Rules<AttributesDraft> = new Map<string, Rule<AttributesDraft>>([
  ['threshold', used(number({ min: 0 }, (d, v) => void (d.preClusterThreshold = v)))],
  ['pre-cluster-threshold', used(number({ min: 0 }, (d, v) => void (d.preClusterThreshold = v)))],
  ['post-cluster-threshold', used(number({ min: 0 }, (d, v) => void (d.postClusterThreshold = v)))],
  ['nms-iou-threshold', fraction((d, v) => void (d.nmsIouThreshold = v))],
  ['topk', used(integer({ min: -1 }, (d, v) => void (d.topK = v < 0 ? undefined : v)))],
  ['eps', used(number({ min: 0 }, (d, v) => void (d.eps = v)))],
  ['minBoxes', limit((d, v) => void (d.minBoxes = v))],
  ['dbscan-min-score', used(number({ min: 0 }, (d, v) => void (d.dbscanMinScore = v)))],
  ['group-threshold', limit((d, v) => void (d.groupThreshold = v))],
  ['roi-top-offset', limit((d, v) => void (d.roiTopOffset = v))],
  ['roi-bottom-offset', limit((d, v) => void (d.roiBottomOffset = v))],
  ['detected-min-w', limit((d, v) => void (d.detectedMinWidth = v))],
  ['detected-min-h', limit((d, v) => void (d.detectedMinHeight = v))],
  ['detected-max-w', limit((d, v) => void (d.detectedMaxWidth = v))],
  ['detected-max-h', limit((d, v) => void (d.detectedMaxHeight = v))],
  [
    'border-color',
    notUsed(
      COLOURS,
      numbers([4], (d, v) => void (d.borderColor = v)),
    ),
  ],
  [
    'bg-color',
    notUsed(
      COLOURS,
      numbers([4], (d, v) => void (d.backgroundColor = v)),
    ),
  ],
]);

function setDims(draft: InferDraft, [channels = 0, height = 0, width = 0]: readonly number[]): void {
  draft.inferDims = { channels, height, width };
}

function setLegacyDims(draft: InferDraft, values: readonly number[]): void {
  const [first = 0, second = 0, third = 0, order = 0] = values;
  if (order === 1) {
    draft.inputOrder = 'NHWC';
    setDims(draft, [third, first, second]);
  } else setDims(draft, [first, second, third]);
}

function setTensorRt(draft: InferDraft, change: Partial<InferSpec['tensorRt']>): void {
  draft.tensorRt = { ...draft.tensorRt, ...change };
}

function setClusterMode(draft: InferDraft, mode: ClusterMode): void {
  draft.clusterMode = mode;
  draft.clusterModeIsDefault = false;
}
