export { listItems, readIni, type IniEntry, type IniFile } from './ini.ts';
export { detectConfigKind, type ConfigKind } from './kind.ts';
export { parseInferConfig } from './infer-config.ts';
export { parseLabels, type Labels } from './labels.ts';
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
