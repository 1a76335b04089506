export { parseTrackerConfig, readConfig, type AnyConfig } from './read-config.ts';
export { detectConfigKind, notAModelConfig, type ConfigKind, type OtherKind } from './kind.ts';
export type { ConfigFormat, ConfigProblem, ConfigReading, PropertyUse } from './report.ts';
export { onnxBeside, type OtherModelFile, type Runnable } from './runnable.ts';
export { parseLabels, type Labels } from './labels.ts';
export { parseInferConfig } from './nvinfer/infer-config.ts';
export type {
  ClassAttributes,
  ClusterMode,
  ColorFormat,
  InferConfig,
  InferSpec,
  NetworkType,
  NotUsed,
  TensorRtSettings,
} from './nvinfer/spec.ts';
export { parseInferServerConfig } from './nvinferserver/infer-server.ts';
export { inferSpecOfServer } from './nvinferserver/as-infer-spec.ts';
export type {
  BoxFilter,
  DetectionFilter,
  InferServerConfig,
  InferServerSpec,
  ServerBackend,
  ServerClustering,
  ServerPostprocess,
  ServerTensor,
} from './nvinferserver/spec.ts';
export type { TrackerConfig, TrackerLibrary, TrackerSpec } from './tracker/tracker.ts';
export type {
  LowLevelTrackerConfig,
  LowLevelTrackerSpec,
  NvidiaTracker,
  TrackerTuning,
  TrackerValue,
} from './tracker/low-level-spec.ts';
export type { DewarpSource, DewarpSurface, DewarpTarget, DewarperConfig, DewarperSpec } from './dewarper/dewarper.ts';
export type {
  AnalyticsConfig,
  AnalyticsMode,
  AnalyticsPoint,
  AnalyticsRule,
  AnalyticsSpec,
  DirectionRule,
  LineRule,
  OvercrowdingRule,
  RegionRule,
} from './analytics/spec.ts';
export type { OtherConfig } from './other.ts';
