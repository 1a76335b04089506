import type { Ledger } from '../ledger.ts';
import type { Draft } from '../values.ts';
import type { MessageReader } from './message-reader.ts';
import { onlyOne } from './one-of.ts';
import type { InferServerSpec, ServerBackend, ServerTensor } from './spec.ts';

const TRITON = 'it tunes a Triton server inside the process; there is none here';

const DATA_TYPES = new Map<string, ServerTensor['dataType'] & string>([
  // In the order of `TensorDataType`, whose first two are no types.
  ['TENSOR_DT_FP32', 'FP32'],
  ['TENSOR_DT_FP16', 'FP16'],
  ['TENSOR_DT_INT8', 'INT8'],
  ['TENSOR_DT_INT16', 'INT16'],
  ['TENSOR_DT_INT32', 'INT32'],
  ['TENSOR_DT_UINT8', 'UINT8'],
  ['TENSOR_DT_UINT16', 'UINT16'],
  ['TENSOR_DT_UINT32', 'UINT32'],
]);

/** `infer_config.backend`. `trt_is` is the older name of `triton`. */
export function readBackend(backend: MessageReader, spec: Draft<InferServerSpec>, ledger: Ledger): void {
  spec.inputs = backend.messages('inputs').map((tensor) => readTensor(tensor));
  spec.outputs = backend.messages('outputs').map((tensor) => {
    tensor.leaveOut('it is about buffers of the NVIDIA plugin', 'max_buffer_bytes');
    return readTensor(tensor);
  });
  backend.leaveOut('it is about buffers of the NVIDIA plugin', 'output_mem_type');
  backend.leaveOut('a model is always warmed up before it is taken into use', 'disable_warmup');
  onlyOne(backend, ['triton', 'trt_is'], ledger);
  const older = backend.message('trt_is');
  const triton = backend.message('triton') ?? older;
  if (triton) spec.backend = readTriton(triton, ledger);
}

function readTensor(tensor: MessageReader): ServerTensor {
  return {
    name: tensor.text('name'),
    dims: tensor.integers('dims', { min: -1 }),
    dataType: tensor.choice('data_type', DATA_TYPES),
  };
}

function readTriton(triton: MessageReader, ledger: Ledger): ServerBackend | undefined {
  const model = triton.text('model_name');
  const asked = triton.integer('version', { min: -1 });
  const version = asked === undefined || asked < 0 ? undefined : asked;
  triton.leaveOut('classes are named as postprocess says', 'class_params');
  onlyOne(triton, ['model_repo', 'grpc'], ledger);
  const repository = triton.message('model_repo');
  const root = repository && readRepository(repository);
  const grpc = triton.message('grpc');
  const url = grpc?.text('url');
  grpc?.flag('enable_cuda_buffer_sharing', 'tensors travel over the network, also to a server on the same machine');
  if (model === undefined || model === '') {
    ledger.problem('error', { line: triton.line, key: 'model_name' }, 'model_name is missing');
    return undefined;
  }
  if (grpc) {
    if (url !== undefined && url !== '') return { kind: 'grpc', model, version, url };
    ledger.problem('error', { line: grpc.line, key: 'url' }, 'grpc has no url: write url: "host:8001"');
    return undefined;
  }
  if (root === undefined) {
    const sentence = 'the model has no place: write model_repo { root: "..." } or grpc { url: "..." }';
    ledger.problem('error', { line: triton.line, key: 'model_repo' }, sentence);
    return undefined;
  }
  return { kind: 'repository', model, version, root };
}

function readRepository(repository: MessageReader): string {
  repository.leaveOut(
    TRITON,
    'log_level',
    'strict_model_config',
    'min_compute_capacity',
    'backend_dir',
    'backend_configs',
    'tf_gpu_memory_fraction',
    'tf_disable_soft_placement',
    'cuda_device_memory',
    'pinned_memory_pool_byte_size',
  );
  return repository.text('root') ?? '';
}
