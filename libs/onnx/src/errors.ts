import { VantageError } from '@vantage/contracts';

/** The bytes are no ONNX model, or a damaged one. */
export function onnxInvalid(name: string, reason: string): VantageError {
  return new VantageError('ONNX_INVALID', `${name} is no ONNX model that can be read: ${reason}`, {
    details: { file: name },
  });
}

/** Weights lie in another file, and the model names it by a path that leaves its folder. */
export function externalDataOutside(name: string, location: string): VantageError {
  return new VantageError(
    'ONNX_EXTERNAL_DATA_OUTSIDE',
    `${name} wants weights from '${location}', which is not a file in its own folder; ` +
      'save the model with its weights beside it',
    { details: { file: name, location } },
  );
}

/** The model is fine, but operators cannot be put in front of this input. */
export function preprocessingNotPossible(name: string, reason: string): VantageError {
  return new VantageError('ONNX_PREPROCESSING_NOT_POSSIBLE', `${name} cannot be given 8-bit pictures: ${reason}`, {
    details: { file: name },
  });
}
