export {
  UNTRACKED,
  centreOf,
  clipBox,
  iou,
  type Attribute,
  type Box,
  type Detection,
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
export { CandidateList } from './candidates.ts';
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
export { chooseParser, type ParserChoice, type ParserRequest } from './parsers/choose.ts';
export { OUTPUT_PARSERS, PARSER_NAMES } from './parsers/registry.ts';
export { describeOutputs, parseSettings } from './parsers/shape.ts';
export type {
  NetworkInfo,
  OutputParser,
  ParseOutputs,
  ParseSettings,
  ParserMatch,
  TensorData,
  TensorInfo,
} from './parsers/types.ts';
export type { Tracker, TrackerOptions } from './tracking/tracker.ts';
export { IouTracker } from './tracking/iou-tracker.ts';
export { ByteTracker, type ByteTrackerOptions } from './tracking/byte-tracker.ts';
export { TRACKER_NAMES, createTracker, trackerName, type TrackerName } from './tracking/create.ts';
