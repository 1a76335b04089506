import { areFractions } from './scores-boxes.ts';
import { gridMasks } from './masks.ts';
import { dimOf, floatsOf, isRequested, numberAt, thresholdOf } from './shape.ts';
import type { NetworkInfo, OutputParser, ParseOutputs, TensorData, TensorInfo } from './types.ts';

/** TAO's EfficientDet gives y before x, in pixels, under the names of the plugin that does not. */
const EFFICIENT_DET = 'NvDsInferParseCustomEfficientDetTAO';

/**
 * Finished detections in an output each: boxes `[batch, rows, 4]`, scores and classes `[batch, rows]`, and mostly
 * their number `[batch]` or `[batch, 1]`. The EfficientNMS plugin of TensorRT (corners x1, y1, x2, y2 in pixels),
 * the TensorFlow detection API (`detection_boxes` as y1, x1, y2, x2 in fractions; classes from 1), SSD of the ONNX
 * model zoo (`bboxes`, `labels`, `scores`), torchvision and RT-DETR (`boxes`, `labels`, `scores`).
 */
export const detectionOutputs: OutputParser = {
  name: 'detection-outputs',
  aliases: [
    'efficientnms',
    'ssd-nms',
    'ssd_mobilenet_v1',
    'rtdetr',
    'NvDsInferParseCustomEfficientNMS',
    'NvDsInferParseCustomBatchedNMSTLT',
    'NvDsInferParseCustomTfSSD',
    'NvDsInferParseYoloEfficientNMS',
    'NvDsInferYoloEfficientNMS',
    'yolo-nas',
    'd-fine-nms',
    'faster-rcnn',
    'maskrcnn',
    EFFICIENT_DET,
    'NvDsInferParseYoloV5CustomBatchedNMSTLT',
    'NvDsInferParseCustomBatchedYoloV5NMSTLT',
    'NvDsInferParseYoloNAS',
  ],
  source: 'NVIDIA/TensorRT plugin/efficientNMSPlugin; tensorflow/models object_detection; onnx/models SSD',
  network: { suppression: 'none' },

  match(outputs) {
    const parts = partsOf(outputs);
    if (parts === undefined) return undefined;
    const names = [parts.boxes, parts.scores, parts.classes].map((index) => outputs[index]?.name);
    return { score: 0.9, reason: `outputs ${names.join(', ')} of finished detections` };
  },

  create,

  createMasks(outputs) {
    const masks = outputs.findIndex(({ name, dims }) => /mask/i.test(name) && dims.length >= 4);
    return masks < 0 ? undefined : gridMasks(masks, false);
  },
};

interface Parts {
  readonly boxes: number;
  readonly scores: number;
  readonly classes: number;
  readonly count: number | undefined;
  readonly batched: boolean;
  readonly tensorflow: boolean;
}

/** `detection_boxes:0`, `num_dets`: the name that matters. */
function findByName(outputs: readonly TensorInfo[], pattern: RegExp): number {
  return outputs.findIndex(({ name }) => pattern.test(name.replace(/:\d+$/, '')));
}

function partsOf(outputs: readonly TensorInfo[]): Parts | undefined {
  if (outputs.length < 3 || outputs.length > 8) return undefined;
  const count = findByName(outputs, /^num/i);
  const boxes = findByName(outputs, /boxes|bbox/i);
  const scores = findByName(outputs, /(^|_)scores?$/i);
  const classes = findByName(outputs, /class|label/i);
  if (boxes < 0 || scores < 0 || classes < 0) return undefined;
  const rank = outputs[boxes]?.dims.length ?? 0;
  if (outputs[boxes]?.dims.at(-1) !== 4 || (rank !== 2 && rank !== 3)) return undefined;
  if ((outputs[scores]?.dims.length ?? 0) !== rank - 1 || (outputs[classes]?.dims.length ?? 0) !== rank - 1)
    return undefined;
  const tensorflow = /^detection_boxes/.test(outputs[boxes]?.name ?? '');
  return { boxes, scores, classes, count: count < 0 ? undefined : count, batched: rank === 3, tensorflow };
}

function create(outputs: readonly TensorInfo[], net: NetworkInfo): ParseOutputs {
  const parts = partsOf(outputs);
  if (parts === undefined) throw new RangeError('these outputs are not finished detections');
  return (tensors, batchIndex, settings, into) => {
    const boxes = floatsOf(tensors, parts.boxes);
    const scores = floatsOf(tensors, parts.scores);
    const classes = tensors[parts.classes] as TensorData;
    const rows = dimOf(tensors, parts.boxes, -2);
    const base = parts.batched ? batchIndex * rows : 0;
    const counts = parts.count === undefined ? undefined : tensors[parts.count];
    const used =
      counts === undefined ? rows : Math.max(0, Math.min(rows, numberAt(counts, parts.batched ? batchIndex : 0)));
    const fractions = areFractions(boxes, base * 4, used);
    // The TensorRT plugin has output names of TensorFlow but corners in pixels, x first.
    const yFirst = (parts.tensorflow && fractions) || isRequested(net, EFFICIENT_DET);
    const [left, top, right, bottom] = yFirst ? [1, 0, 3, 2] : [0, 1, 2, 3];
    const scaleX = fractions ? net.width : 1;
    const scaleY = fractions ? net.height : 1;
    for (let i = 0; i < used; i += 1) {
      const score = scores[base + i] as number;
      const classId = Math.round(numberAt(classes, base + i));
      if (score <= 0 || classId < 0 || score < thresholdOf(settings, classId)) continue;
      const at = (base + i) * 4;
      into.push(
        (boxes[at + left] as number) * scaleX,
        (boxes[at + top] as number) * scaleY,
        (boxes[at + right] as number) * scaleX,
        (boxes[at + bottom] as number) * scaleY,
        score,
        classId,
        i,
      );
    }
  };
}
