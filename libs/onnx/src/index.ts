export type { OnnxInitializer, OnnxModel, OnnxValue } from './model.ts';
export { foldFocus } from './focus.ts';
export { readOnnx } from './read-onnx.ts';
export { prependPreprocessing, type PreprocessedModel, type Preprocessing } from './preprocessing.ts';
