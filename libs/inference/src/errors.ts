import { VantageError } from '@vantage/contracts';
import { redact } from '@vantage/observability';

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
    `${model} has no input for pictures (float32, float16, uint8 or int8, [batch,3,height,width] or ` +
      `[batch,height,width,3], 1 channel for grey ones); its inputs are ${inputs}; export it with such an input`,
    { details: { model, inputs } },
  );
}

/** The configuration wants grey pictures, the network has three channels. */
export function channelsDoNotFit(model: string, input: string): VantageError {
  return new VantageError(
    'MODEL_CHANNELS_MISMATCH',
    `model-color-format=2 asks for grey pictures, but ${input} of ${model} takes three channels; ` +
      'set model-color-format=0 (RGB) or 1 (BGR)',
    { details: { model, input } },
  );
}

/** The network wants something besides the picture that is not known here. */
export function inputNotSupported(model: string, input: string, picture: string): VantageError {
  return new VantageError(
    'MODEL_INPUT_NOT_SUPPORTED',
    `${model} takes ${picture} for the picture and needs ${input} besides, which nobody gives it; ` +
      'export it with that input as a constant',
    { details: { model, input } },
  );
}

/** `mean-file` cannot be used. */
export function meanFileUnusable(file: string, reason: string): VantageError {
  return new VantageError('MEAN_FILE_UNUSABLE', `the mean-file ${file} cannot be used: ${reason}`, {
    details: { file },
  });
}

/** A model has a custom parser, and there is nothing that runs one, or it could not be started. */
export function customParserFailed(model: string, file: string, reason: string): VantageError {
  return new VantageError('CUSTOM_PARSER_FAILED', `the parser ${file} of ${model} cannot be used: ${reason}`, {
    details: { model, file },
  });
}

/** The network size is neither in the model nor in its configuration. */
export function networkSizeUnknown(model: string, input: string): VantageError {
  return new VantageError(
    'NETWORK_SIZE_UNKNOWN',
    `${model} leaves the size of its input open (${input}); set infer-dims=3;HEIGHT;WIDTH in its configuration`,
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

/** No Python here has the onnxruntime package. */
export function sidecarMissing(model: string, reason: string): VantageError {
  return new VantageError(
    'SIDECAR_MISSING',
    `${model} should run in a sidecar, which needs Python 3.8 or newer with the package onnxruntime (${reason}); ` +
      'install onnxruntime or onnxruntime-gpu, or set VANTAGE_SIDECAR_PYTHON to an interpreter that has it',
    { details: { model } },
  );
}

/** The sidecar of a model ended or does not answer; it is started again. */
export function sidecarUnavailable(model: string, reason: string): VantageError {
  return new VantageError('SIDECAR_UNAVAILABLE', `the sidecar of ${model} gives no answer: ${reason}`, {
    details: { model },
  });
}

/** `VANTAGE_PROVIDER_OPTIONS` is not what it should be. */
export function sidecarOptionsInvalid(reason: string): VantageError {
  return new VantageError(
    'SIDECAR_OPTIONS_INVALID',
    `VANTAGE_PROVIDER_OPTIONS cannot be used: ${reason}; write {"tensorrt": {"option": "value"}, "cuda": {...}}`,
  );
}

/** The address of an inference server cannot be read. */
export function remoteAddressInvalid(model: string, url: string): VantageError {
  return new VantageError(
    'REMOTE_ADDRESS_INVALID',
    `'${url.replace(/^.*@/, '***@')}' is no address of an inference server for ${model}; write host:port, grpc://host:port or grpcs://host:port`,
    { details: { model } },
  );
}

/** An inference server does not answer, or not in time. */
export function remoteUnavailable(model: string, address: string, reason: string): VantageError {
  return new VantageError(
    'REMOTE_UNAVAILABLE',
    `the inference server at ${address} gives no answer for '${model}': ${redact(reason)}`,
    { details: { model, address } },
  );
}

/** An inference server answers that it has no such model. */
export function remoteModelUnknown(model: string, address: string, reason: string): VantageError {
  return new VantageError(
    'REMOTE_MODEL_UNKNOWN',
    `the inference server at ${address} has no model '${model}': ${redact(reason)}; load it there, or correct the name`,
    { details: { model, address } },
  );
}

/** Not even a model of one node runs. */
export function runtimeProbeFailed(reason: string, cause: unknown): VantageError {
  return new VantageError('RUNTIME_PROBE_FAILED', `ONNX Runtime does not run here: ${reason}`, { cause });
}
