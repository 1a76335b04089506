import type { Ledger } from '../ledger.ts';
import type { Draft } from '../values.ts';
import type { MessageReader } from './message-reader.ts';
import { onlyOne } from './one-of.ts';
import type { BoxFilter, DetectionFilter, InferServerSpec } from './spec.ts';

const COLOURS = 'colours of boxes are not taken from the model configuration';
const PROCESS_MODES = new Map<string, InferServerSpec['processMode']>([
  // The numbers of the enum: 0 is the default, full frame.
  ['PROCESS_MODE_FULL_FRAME', 'primary'],
  ['PROCESS_MODE_CLIP_OBJECTS', 'secondary'],
]);

/** `input_control`. */
export function readInputControl(input: MessageReader, spec: Draft<InferServerSpec>, ledger: Ledger): void {
  spec.processMode = input.choice('process_mode', PROCESS_MODES) ?? spec.processMode;
  spec.operateOnGieId = input.integer('operate_on_gie_id', { min: -1 }) ?? spec.operateOnGieId;
  spec.operateOnClassIds = input.integers('operate_on_class_ids', { min: -1 }).filter((id) => id >= 0);
  onlyOne(input, ['interval', 'secondary_reinfer_interval'], ledger);
  spec.interval = input.integer('interval', { min: 0 }) ?? spec.interval;
  spec.secondaryReinferInterval = input.integer('secondary_reinfer_interval', { min: 0 });
  spec.asyncMode = input.flag('async_mode') ?? spec.asyncMode;
  const objects = input.message('object_control')?.message('bbox_filter');
  if (objects) spec.inputObjects = readBox(objects);
}

/** `output_control`. */
export function readOutputControl(output: MessageReader, spec: Draft<InferServerSpec>): void {
  spec.outputTensorMeta = output.flag('output_tensor_meta') ?? spec.outputTensorMeta;
  spec.classifierType = output.text('classifier_type');
  const detect = output.message('detect_control');
  if (!detect) return;
  spec.filterOutClassIds = detect.integers('filter_out_class_ids', { min: 0 });
  const general = detect.message('default_filter');
  if (general) spec.detectionFilter = readFilter(general);
  const classFilters = new Map<number, DetectionFilter>();
  for (const entry of detect.messages('specific_class_filters')) {
    const classId = entry.integer('key', { min: 0 }) ?? 0;
    const filter = entry.message('value');
    if (filter) classFilters.set(classId, readFilter(filter));
  }
  spec.classFilters = classFilters;
}

function readFilter(filter: MessageReader): DetectionFilter {
  filter.leaveOut(COLOURS, 'border_color', 'bg_color');
  const box = filter.message('bbox_filter');
  return {
    box: box ? readBox(box) : { minWidth: 0, minHeight: 0, maxWidth: 0, maxHeight: 0 },
    roiTopOffset: filter.integer('roi_top_offset', { min: 0 }) ?? 0,
    roiBottomOffset: filter.integer('roi_bottom_offset', { min: 0 }) ?? 0,
  };
}

function readBox(box: MessageReader): BoxFilter {
  return {
    minWidth: box.integer('min_width', { min: 0 }) ?? 0,
    minHeight: box.integer('min_height', { min: 0 }) ?? 0,
    maxWidth: box.integer('max_width', { min: 0 }) ?? 0,
    maxHeight: box.integer('max_height', { min: 0 }) ?? 0,
  };
}
