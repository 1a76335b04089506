import type { Ledger } from '../ledger.ts';
import type { ColorFormat } from '../nvinfer/spec.ts';
import type { Draft } from '../values.ts';
import type { MessageReader } from './message-reader.ts';
import type { InferServerSpec } from './spec.ts';

const FORMATS: ReadonlyMap<string, ColorFormat | undefined> = new Map([
  ['MEDIA_FORMAT_NONE', undefined],
  ['IMAGE_FORMAT_RGB', 'RGB'],
  ['IMAGE_FORMAT_BGR', 'BGR'],
  ['IMAGE_FORMAT_GRAY', 'GRAY'],
]);
const ORDERS: ReadonlyMap<string, InferServerSpec['inputOrder']> = new Map([
  ['TENSOR_ORDER_NONE', undefined],
  ['TENSOR_ORDER_LINEAR', 'NCHW'],
  ['TENSOR_ORDER_NHWC', 'NHWC'],
]);
const HARDWARE: ReadonlyMap<string, string> = new Map(
  ['FRAME_SCALING_HW_DEFAULT', 'FRAME_SCALING_HW_GPU', 'FRAME_SCALING_HW_VIC'].map((name) => [name, name]),
);

/** `infer_config.preprocess`. */
export function readPreprocess(preprocess: MessageReader, spec: Draft<InferServerSpec>, ledger: Ledger): void {
  spec.colorFormat = preprocess.choice('network_format', FORMATS);
  spec.inputOrder = preprocess.choice('tensor_order', ORDERS);
  spec.tensorName = preprocess.text('tensor_name');
  spec.maintainAspectRatio = preprocess.flag('maintain_aspect_ratio') ?? false;
  spec.symmetricPadding = preprocess.flag('symmetric_padding') ?? false;
  // Azure DeepStream Accelerator looks for nvinfer's spelling, which protobuf does not know.
  if (preprocess.has('symmetric-padding')) {
    spec.symmetricPadding = preprocess.flag('symmetric-padding') ?? spec.symmetricPadding;
    const place = { line: preprocess.lineOf('symmetric-padding'), key: 'symmetric-padding' };
    ledger.problem('warning', place, "'symmetric-padding' is spelled symmetric_padding in nvinferserver");
  }
  preprocess.choice('frame_scaling_hw', HARDWARE, 'frames are scaled by the decoder');
  spec.scalingFilter = preprocess.integer('frame_scaling_filter', { min: 0, max: 6 });
  const normalize = preprocess.message('normalize');
  if (!normalize) return;
  spec.scaleFactor = normalize.number('scale_factor') ?? 1;
  spec.meanFile = normalize.text('mean_file');
  const offsets = normalize.numbers('channel_offsets');
  const [first = 0, second = first, third = first] = offsets;
  if (offsets.length === 2 || offsets.length > 3) {
    const place = { line: normalize.lineOf('channel_offsets'), key: 'channel_offsets' };
    ledger.problem('error', place, `channel_offsets has ${offsets.length} numbers, not 1 or 3`);
  } else spec.offsets = [first, second, third];
}
