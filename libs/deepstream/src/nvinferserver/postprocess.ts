import type { Ledger } from '../ledger.ts';
import type { Draft } from '../values.ts';
import type { MessageReader } from './message-reader.ts';
import { onlyOne } from './one-of.ts';
import type { InferServerSpec, ServerClustering, ServerPostprocess } from './spec.ts';

const FRACTION = { min: 0, max: 1 };
const COUNT = { min: 0 };
const SORTS = [
  'detection',
  'classification',
  'segmentation',
  'other',
  'triton_classification',
  'trtis_classification',
] as const;

/** `infer_config.postprocess`. */
export function readPostprocess(postprocess: MessageReader, spec: Draft<InferServerSpec>, ledger: Ledger): void {
  spec.labelFile = postprocess.text('labelfile_path');
  onlyOne(postprocess, SORTS, ledger);
  for (const sort of SORTS) {
    const message = postprocess.message(sort);
    if (message) spec.postprocess = readSort(sort, message, ledger);
  }
}

function readSort(sort: (typeof SORTS)[number], message: MessageReader, ledger: Ledger): ServerPostprocess {
  switch (sort) {
    case 'detection':
      return readDetection(message, ledger);
    case 'classification':
      return {
        kind: 'classification',
        threshold: message.number('threshold', COUNT) ?? 0,
        parserFunction: message.text('custom_parse_classifier_func'),
      };
    case 'segmentation':
      return {
        kind: 'segmentation',
        threshold: message.number('threshold', COUNT) ?? 0,
        classCount: message.integer('num_segmentation_classes', COUNT),
        parserFunction: message.text('custom_parse_segmentation_func'),
      };
    case 'other':
      return { kind: 'other', typeName: message.text('type_name') };
    case 'triton_classification':
    case 'trtis_classification':
      return {
        kind: 'server-classification',
        threshold: message.number('threshold', COUNT) ?? 0,
        topK: message.integer('topk', COUNT) ?? 1,
        tensor: message.text('tensor_name'),
      };
  }
}

function readDetection(detection: MessageReader, ledger: Ledger): ServerPostprocess {
  const preThresholds = new Map<number, number>();
  for (const entry of detection.messages('per_class_params')) {
    const classId = entry.integer('key', { min: 0 }) ?? 0;
    const threshold = entry.message('value')?.number('pre_threshold', COUNT);
    if (threshold !== undefined) preThresholds.set(classId, threshold);
  }
  return {
    kind: 'detection',
    classCount: detection.integer('num_detected_classes', COUNT),
    parserFunction: detection.text('custom_parse_bbox_func'),
    clustering: readClustering(detection, ledger),
    preThresholds,
  };
}

function readClustering(detection: MessageReader, ledger: Ledger): ServerClustering | undefined {
  onlyOne(detection, ['nms', 'dbscan', 'group_rectangle', 'simple_cluster'], ledger);
  const nms = detection.message('nms');
  const dbscan = detection.message('dbscan');
  const group = detection.message('group_rectangle');
  const simple = detection.message('simple_cluster');
  if (nms) {
    const topK = nms.integer('topk', { min: -1 }) ?? 0;
    return {
      mode: 'nms',
      confidence: nms.number('confidence_threshold', COUNT) ?? 0,
      iou: nms.number('iou_threshold', FRACTION) ?? 0.3,
      topK: topK > 0 ? topK : undefined,
    };
  }
  if (dbscan) {
    return {
      mode: 'dbscan',
      confidence: dbscan.number('pre_threshold', COUNT) ?? 0,
      eps: dbscan.number('eps', COUNT) ?? 0,
      minBoxes: dbscan.integer('min_boxes', COUNT) ?? 0,
      minScore: dbscan.number('min_score', COUNT) ?? 0,
    };
  }
  if (group) {
    return {
      mode: 'group-rectangles',
      confidence: group.number('confidence_threshold', COUNT) ?? 0,
      eps: group.number('eps', COUNT) ?? 0,
      groupThreshold: group.integer('group_threshold', COUNT) ?? 0,
    };
  }
  return simple && { mode: 'simple', confidence: simple.number('threshold', COUNT) ?? 0 };
}
