export { VantageError, codeOf, messageOf, type VantageErrorOptions } from './errors.ts';
export { isTwinBlob, readTwinBlob, TWIN_BLOB_LIMITS, twinBlobsOf, withTwinBlobs, type TwinBlob } from './twin-blobs.ts';
export { diffTwin, isTwinObject, mergeTwin, twinEquals, type MergeTwinOptions, type TwinObject } from './twin-merge.ts';
export { sensorTag } from './clip-tags.ts';
export * from './names.ts';
export { isObject, parseJson, type DeepReadonly, type Json, type JsonObject } from './json.ts';
export * from './twins/controller-twin.ts';
export * from './twins/module-twins.ts';
export * from './twins/uploader-twin.ts';
export * from './messages/inference.ts';
export * from './messages/recording-command.ts';
export * from './messages/configuration-status.ts';
export type {
  Components,
  ConfigIssue,
  ConfigurationResult,
  Crop,
  LogLevel,
  PipelineConfig,
  PrimaryModel,
  SecondaryModel,
  Sensor,
  SkillConfig,
  SkillInstanceConfig,
  SkillModelConfig,
  SkillSensor,
  SourceKind,
  Stream,
  TrackerChoice,
  ValidationOptions,
  CameraHealthConfig,
} from './configuration/types.ts';
export { validateComponents, validateConfiguration, validateSensors } from './configuration/validate.ts';
export { streamUri } from './configuration/stream-uri.ts';
export {
  readAiPipelineTwin,
  readBusinessLogicTwin,
  readRecordingCommand,
  type AiPipelineSettings,
} from './configuration/module-twins.ts';
export { readVideoUploaderTwin } from './configuration/uploader-twin.ts';
export { readModuleTwin } from './configuration/read-module-twin.ts';
export { readInferenceMessage } from './messages/read-inference.ts';
export * as customNode from './generated/custom_node.ts';
export { Report, pathOf, withoutNulls } from './configuration/report.ts';
export { closest, quote } from './configuration/wording.ts';
