import { VantageError } from '@vantage/contracts';

/** The ONNX file was refused by ONNX Runtime (unsupported operator, broken file, wrong version). */
export function modelLoadFailed(model: string, reason: string): VantageError {
  return new VantageError('MODEL_LOAD_FAILED', `${model} cannot be loaded by ONNX Runtime: ${reason}`, {
    details: { model },
  });
}

/** No input of the model takes a picture. */
export function modelWithoutPicture(model: string, inputs: string): VantageError {
  return new VantageError(
    'MODEL_HAS_NO_PICTURE_INPUT',
    `${model} has no input for colour pictures (float32, four dimensions, 3 channels); its inputs are ${inputs}`,
    { details: { model, inputs } },
  );
}

/** The network size is neither in the model nor in its configuration. */
export function networkSizeUnknown(model: string, input: string): VantageError {
  return new VantageError(
    'NETWORK_SIZE_UNKNOWN',
    `${model} leaves the size of its input ${input} open; set infer-dims=3;HEIGHT;WIDTH in its configuration`,
    { details: { model, input } },
  );
}

/** The configuration asks for another size than the model's fixed one. */
export function networkSizeMismatch(model: string, asked: string, fixed: string): VantageError {
  return new VantageError(
    'NETWORK_SIZE_MISMATCH',
    `infer-dims=${asked} does not fit ${model}, whose input is fixed to ${fixed}; remove infer-dims or export the model anew`,
    { details: { model, asked, fixed } },
  );
}

/** An inference worker ended by itself. */
export function workerDied(model: string, code: number): VantageError {
  return new VantageError('INFERENCE_WORKER_DIED', `the inference worker of ${model} ended with code ${code}`, {
    details: { model, code },
  });
}
