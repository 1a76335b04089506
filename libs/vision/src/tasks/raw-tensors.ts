import type { TaskParser } from './types.ts';

/** Outputs as they are, for parsers of one's own: nvinfer's `network-type=100` with `output-tensor-meta=1`. */
export const rawTensors: TaskParser = {
  name: 'tensors',
  aliases: ['raw', 'none', 'other'],
  task: 'tensors',
  source: 'NVIDIA DeepStream, Gst-nvinfer (network-type=100, output-tensor-meta)',
  match: (outputs) => ({ score: 0.05, reason: `${outputs.length} outputs that no parser is sure of` }),
  create: () => (tensors, batchIndex) => ({
    task: 'tensors',
    tensors: tensors.map(({ name, dims, data, type }) => {
      const [batch = 1, ...own] = dims;
      const length = own.reduce((a, b) => a * b, 1);
      const split = dims.length > 1 && batch > 1;
      return {
        name,
        dims: dims.length > 1 ? own : dims,
        type:
          type ?? (data instanceof Float32Array ? 'float32' : data.constructor.name.replace('Array', '').toLowerCase()),
        data: split ? data.subarray(batchIndex * length, (batchIndex + 1) * length) : data,
      };
    }),
  }),
};
