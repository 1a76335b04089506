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
