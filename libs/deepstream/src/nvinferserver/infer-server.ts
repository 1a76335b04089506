import { Ledger } from '../ledger.ts';
import { onnxBeside, type Runnable } from '../runnable.ts';
import { readProtobufText } from '../text/protobuf-text.ts';
import type { Draft } from '../values.ts';
import { readBackend } from './backend.ts';
import { readInputControl, readOutputControl } from './controls.ts';
import { MessageReader } from './message-reader.ts';
import { readPostprocess } from './postprocess.ts';
import { readPreprocess } from './preprocess.ts';
import type { InferServerConfig, InferServerSpec } from './spec.ts';

const NO_BOX_LIMIT = { minWidth: 0, minHeight: 0, maxWidth: 0, maxHeight: 0 };

/** What nvinferserver does when a configuration says nothing. */
function defaultServerSpec(fileName: string): InferServerSpec {
  return {
    kind: 'nvinferserver',
    fileName,
    uniqueId: 0,
    gpuIds: [],
    maxBatchSize: 1,
    backend: undefined,
    inputs: [],
    outputs: [],
    colorFormat: undefined,
    inputOrder: undefined,
    tensorName: undefined,
    maintainAspectRatio: false,
    symmetricPadding: false,
    scalingFilter: undefined,
    scaleFactor: 1,
    offsets: [0, 0, 0],
    meanFile: undefined,
    labelFile: undefined,
    postprocess: undefined,
    customLibPath: undefined,
    customProcessFunction: undefined,
    processMode: 'primary',
    operateOnGieId: -1,
    operateOnClassIds: [],
    interval: 0,
    secondaryReinferInterval: undefined,
    asyncMode: false,
    inputObjects: NO_BOX_LIMIT,
    outputTensorMeta: false,
    classifierType: undefined,
    filterOutClassIds: [],
    detectionFilter: { box: NO_BOX_LIMIT, roiTopOffset: 0, roiBottomOffset: 0 },
    classFilters: new Map(),
  };
}

/**
 * Reads an nvinferserver configuration (protobuf text).
 *
 * Never throws: what is wrong is in `problems`, each with file and line; every field ends in `properties`.
 *
 * @param fileName for messages only
 */
export function parseInferServerConfig(text: string, fileName: string): InferServerConfig {
  const ledger = new Ledger(fileName);
  const { root, problems } = readProtobufText(text, fileName);
  ledger.problems.push(...problems);
  const spec: Draft<InferServerSpec> = { ...defaultServerSpec(fileName) };
  const reader = new MessageReader(root, ledger);
  const infer = reader.message('infer_config');
  if (infer) readInferConfig(infer, spec, ledger);
  else ledger.problem('error', { line: 0, key: 'infer_config' }, `${fileName} has no infer_config { ... }`);
  const input = reader.message('input_control');
  if (input) readInputControl(input, spec, ledger);
  const output = reader.message('output_control');
  if (output) readOutputControl(output, spec);
  reader.finish();
  const runnable = judge(spec, ledger, infer !== undefined);
  const { properties } = ledger;
  return {
    kind: 'nvinferserver',
    format: 'protobuf-text',
    fileName,
    spec,
    runnable,
    properties,
    problems: ledger.problems,
  };
}

function readInferConfig(infer: MessageReader, spec: Draft<InferServerSpec>, ledger: Ledger): void {
  spec.uniqueId = infer.integer('unique_id', { min: 0 }) ?? spec.uniqueId;
  spec.gpuIds = infer.integers('gpu_ids', { min: 0 });
  spec.maxBatchSize = infer.integer('max_batch_size', { min: 0, max: 1024 }) ?? spec.maxBatchSize;
  const backend = infer.message('backend');
  if (backend) readBackend(backend, spec, ledger);
  const preprocess = infer.message('preprocess');
  if (preprocess) readPreprocess(preprocess, spec, ledger);
  infer.leaveOut(
    'there is no nvdspreprocess in front of the model',
    'input_tensor_from_meta',
    'clip_object_outside_roi',
  );
  const postprocess = infer.message('postprocess');
  if (postprocess) readPostprocess(postprocess, spec, ledger);
  const library = infer.message('custom_lib');
  spec.customLibPath = library?.text(
    'path',
    'a compiled library is not loaded; a built-in parser is chosen by name or by the outputs of the model',
  );
  const extra = infer.message('extra');
  extra?.leaveOut('it is about buffers of the NVIDIA plugin', 'copy_input_to_host_buffers', 'output_buffer_pool_size');
  spec.customProcessFunction = extra?.text(
    'custom_process_funcion',
    'it lives in a compiled library, which is not loaded',
  );
  infer.leaveOut('models that hand their state from frame to frame are not run', 'lstm');
}

function judge(spec: InferServerSpec, ledger: Ledger, hasInfer: boolean): Runnable {
  const { backend } = spec;
  if (backend === undefined) {
    const sentence = 'the configuration names no model: set infer_config.backend.triton with model_name';
    if (hasInfer) ledger.problem('error', { line: 0, key: 'backend' }, sentence);
    return { how: 'no-model', sentence };
  }
  const { model, version } = backend;
  if (backend.kind === 'grpc') {
    const { url } = backend;
    const which = version === undefined ? 'the latest version' : `version ${version}`;
    return { how: 'remote', url, model, version, sentence: `the server at ${url} runs ${which} of '${model}'` };
  }
  const { root } = backend;
  const folder = `${root === '' ? '' : `${root.replace(/\/+$/, '')}/`}${model}`;
  const onnxCandidates = [
    `${folder}/${version === undefined ? '<n>' : String(version)}/model.onnx`,
    onnxBeside(`${folder}/${model}`),
  ];
  const sentence =
    `there is no Triton in this process: the repository's own ONNX file ('${onnxCandidates[0] ?? ''}') runs in ` +
    'ONNX Runtime; a model of another kind needs a server, named with grpc { url } instead of model_repo';
  return { how: 'triton-repository', root, model, version, onnxCandidates, sentence };
}
