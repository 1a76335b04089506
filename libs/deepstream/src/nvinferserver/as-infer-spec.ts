import { DEFAULT_ATTRIBUTES, defaultInferSpec } from '../nvinfer/defaults.ts';
import type { ClassAttributes, ClusterMode, InferSpec, NetworkType } from '../nvinfer/spec.ts';
import type { DetectionFilter, InferServerSpec, ServerClustering, ServerPostprocess } from './spec.ts';

/**
 * The same request in the words of nvinfer, so that one engine serves both. Where the model runs is not in it: that is
 * `InferServerSpec.backend`. `onnxFile` is left open.
 */
export function inferSpecOfServer(server: InferServerSpec): InferSpec {
  const { postprocess, inputObjects } = server;
  const detection = postprocess?.kind === 'detection' ? postprocess : undefined;
  const threshold = postprocess && 'threshold' in postprocess ? postprocess.threshold : 0;
  const parserFunction = postprocess && 'parserFunction' in postprocess ? postprocess.parserFunction : undefined;
  const networkType = networkTypeOf(postprocess);
  return {
    ...defaultInferSpec(server.fileName),
    labelFile: server.labelFile,
    netScaleFactor: server.scaleFactor,
    offsets: server.offsets,
    meanFile: server.meanFile,
    colorFormat: server.colorFormat ?? 'RGB',
    inferDims: dimsOf(server),
    inputOrder: server.inputOrder ?? 'NCHW',
    maintainAspectRatio: server.maintainAspectRatio,
    symmetricPadding: server.symmetricPadding,
    scalingFilter: server.scalingFilter,
    networkType,
    processMode: server.processMode,
    gieUniqueId: server.uniqueId,
    batchSize: Math.max(1, server.maxBatchSize),
    interval: server.interval,
    gpuId: server.gpuIds[0] ?? 0,
    classCount: postprocess && 'classCount' in postprocess ? postprocess.classCount : undefined,
    outputBlobNames: server.outputs.flatMap(({ name }) => name ?? []),
    parserFunction: networkType === 'detector' ? parserFunction : undefined,
    classifierParserFunction: networkType === 'classifier' ? parserFunction : undefined,
    customLibPath: server.customLibPath,
    clusterMode: clusterModeOf(detection?.clustering),
    clusterModeIsDefault: detection?.clustering === undefined,
    classAttributes: classAttributesOf(server, detection?.clustering, detection?.preThresholds ?? new Map()),
    filterOutClassIds: server.filterOutClassIds,
    classifierThreshold: networkType === 'classifier' ? threshold : 0,
    classifierAsyncMode: server.asyncMode,
    classifierType: server.classifierType,
    segmentationThreshold: networkType === 'segmentation' ? threshold : 0,
    outputTensorMeta: server.outputTensorMeta,
    operateOnGieId: server.operateOnGieId,
    operateOnClassIds: server.operateOnClassIds,
    inputObjectMinWidth: inputObjects.minWidth,
    inputObjectMinHeight: inputObjects.minHeight,
    inputObjectMaxWidth: inputObjects.maxWidth,
    inputObjectMaxHeight: inputObjects.maxHeight,
    secondaryReinferInterval: server.secondaryReinferInterval,
  };
}

/** Without postprocess the tensors go to whoever asks for them. */
function networkTypeOf(postprocess: ServerPostprocess | undefined): NetworkType {
  switch (postprocess?.kind) {
    case 'detection':
      return 'detector';
    case 'classification':
    case 'server-classification':
      return 'classifier';
    case 'segmentation':
      return 'segmentation';
    case 'other':
    case undefined:
      return 'other';
  }
}

function dimsOf({ inputs, inputOrder, tensorName }: InferServerSpec): InferSpec['inferDims'] {
  const input = inputs.find(({ name }) => name === tensorName) ?? inputs[0];
  const [first = 0, second = 0, third = 0] = input?.dims ?? [];
  if (input?.dims.length !== 3 || Math.min(first, second, third) < 1) return undefined;
  return inputOrder === 'NHWC'
    ? { channels: third, height: first, width: second }
    : { channels: first, height: second, width: third };
}

function clusterModeOf(clustering: ServerClustering | undefined): ClusterMode {
  if (clustering === undefined) return 'group-rectangles';
  return clustering.mode === 'simple' ? 'none' : clustering.mode;
}

function classAttributesOf(
  { detectionFilter, classFilters }: InferServerSpec,
  clustering: ServerClustering | undefined,
  preThresholds: ReadonlyMap<number, number>,
): InferSpec['classAttributes'] {
  const all: ClassAttributes = { ...DEFAULT_ATTRIBUTES, ...clustered(clustering), ...filtered(detectionFilter) };
  const perClass = new Map<number, ClassAttributes>();
  for (const [classId, preClusterThreshold] of preThresholds) perClass.set(classId, { ...all, preClusterThreshold });
  for (const [classId, filter] of classFilters) {
    perClass.set(classId, { ...(perClass.get(classId) ?? all), ...filtered(filter) });
  }
  return { all, perClass };
}

function clustered(clustering: ServerClustering | undefined): Partial<ClassAttributes> {
  switch (clustering?.mode) {
    case undefined:
      return {};
    case 'nms':
      return { preClusterThreshold: clustering.confidence, nmsIouThreshold: clustering.iou, topK: clustering.topK };
    case 'dbscan': {
      const { confidence, eps, minBoxes, minScore } = clustering;
      return { preClusterThreshold: confidence, eps, minBoxes, dbscanMinScore: minScore };
    }
    case 'group-rectangles': {
      const { confidence, eps, groupThreshold } = clustering;
      return { preClusterThreshold: confidence, eps, groupThreshold };
    }
    case 'simple':
      return { preClusterThreshold: clustering.confidence };
  }
}

function filtered({ box, roiTopOffset, roiBottomOffset }: DetectionFilter): Partial<ClassAttributes> {
  return {
    roiTopOffset,
    roiBottomOffset,
    detectedMinWidth: box.minWidth,
    detectedMinHeight: box.minHeight,
    detectedMaxWidth: box.maxWidth,
    detectedMaxHeight: box.maxHeight,
  };
}
