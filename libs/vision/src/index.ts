export {
  UNTRACKED,
  centreOf,
  clipBox,
  iou,
  type Attribute,
  type Box,
  type Detection,
  type Keypoint,
  type Mask,
  type Point,
} from './detection.ts';
export {
  lineCrossing,
  pointInPolygon,
  polygonArea,
  segmentsMeet,
  selfIntersection,
  signedArea,
  type Polygon,
  type Side,
  type Vertex,
} from './geometry.ts';
export {
  poseDetection,
  similarity,
  type Classification,
  type Embedding,
  type ModelResult,
  type OutputTask,
  type Pose,
  type RawTensor,
  type SegmentationMap,
  type TextReading,
} from './results.ts';
export { CandidateList, MAX_CANDIDATES } from './candidates.ts';
export type { ClusterParameters } from './cluster.ts';
export { Suppressor, type SuppressionSettings } from './suppress.ts';
export {
  candidateBox,
  candidatePoints,
  fitPicture,
  toDetections,
  type DetectionNaming,
  type Fit,
  type FitRequest,
} from './fit.ts';
export { TensorWriter, fillPad, tensorLength, type TensorLayout, type TensorNormalisation } from './tensor.ts';
export {
  PARSER_NAMES,
  chooseOutputs,
  chooseParser,
  type NetworkKind,
  type OutputChoice,
  type OutputRequest,
  type ParserChoice,
  type ParserRequest,
} from './parsers/choose.ts';
export { OUTPUT_PARSERS } from './parsers/registry.ts';
export { TASK_PARSERS } from './tasks/registry.ts';
export type { ReadOutputs, TaskOptions, TaskParser } from './tasks/types.ts';
export {
  checkTensors,
  createOutputReader,
  type OutputReader,
  type OutputReaderOptions,
  type ReaderCounts,
} from './reader.ts';
export { FloatTensors, asFloats, elementCount } from './tensor-view.ts';
export { describeOutputs, parseSettings } from './parsers/shape.ts';
export type {
  NetworkInfo,
  OutputParser,
  ParseOutputs,
  ParseSettings,
  ParserMatch,
  Quantisation,
  ReadMask,
  TensorData,
  TensorElements,
  TensorInfo,
} from './parsers/types.ts';
export type { Tracker, TrackerOptions } from './tracking/tracker.ts';
export {
  TRACKER_NAMES,
  createTracker,
  trackerName,
  type TrackerContext,
  type TrackerName,
  type TrackerSpec,
  type TrackerTuning,
} from './tracking/create.ts';
export { assign } from './tracking/assignment.ts';
export { PairList } from './tracking/pairs.ts';
export { Canvas, type PaintedPicture } from './paint/canvas.ts';
export { parseColour, pictureBytes, type PixelFormat, type Rgb } from './paint/layout.ts';
export {
  classColour,
  paintObjects,
  paintRegions,
  snippetTitle,
  thicknessOf,
  trackTitle,
  type PaintStyle,
  type PaintedObject,
  type PaintedRegion,
} from './paint/paint.ts';
export { thumbnailOf, type Thumbnail } from './view/thumbnail.ts';
export { VIEW_DEFAULTS, VIEW_FAULTS, type ViewFault, type ViewSettings, type ViewState } from './view/settings.ts';
export { ViewWatch, type ViewChange } from './view/view-watch.ts';
export type { ViewMeasures } from './view/measure.ts';
export type { ScorePeak } from './peaks.ts';
