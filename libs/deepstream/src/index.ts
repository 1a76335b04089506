export type {
  ClassAttributes,
  ClusterMode,
  ColorFormat,
  ConfigProblem,
  InferConfig,
  InferSpec,
  NetworkType,
  NotUsed,
  OtherModelFile,
  UsedProperty,
} from './spec.ts';
