import { detectionOutputs } from './detection-outputs.ts';
import { batchRows } from './batch-rows.ts';
import { deepstreamYolo, endToEnd } from './detection-rows.ts';
import { detectNet } from './detectnet.ts';
import { detr } from './detr.ts';
import { distribution } from './distribution.ts';
import { fastestDet } from './fastestdet.ts';
import { maskRcnn } from './mask-rcnn.ts';
import { priorBoxes } from './prior-boxes.ts';
import { retinaNet } from './retinanet.ts';
import { scoresBoxes } from './scores-boxes.ts';
import { scrfd } from './scrfd.ts';
import { selectedBoxes } from './selected-boxes.ts';
import { splitDistribution } from './split-distribution.ts';
import type { OutputParser } from './types.ts';
import { yoloAnchors } from './yolo-anchors.ts';
import { yoloObb } from './yolo-obb.ts';
import { yoloPose } from './yolo-pose.ts';
import { yolov2 } from './yolov2.ts';
import { yolov5Landmarks } from './yolov5-landmarks.ts';
import { yolov5 } from './yolov5.ts';
import { yolov8 } from './yolov8.ts';
import { yolox } from './yolox.ts';
import { yunet } from './yunet.ts';

/** All parsers. Of equal matches the first wins. */
export const OUTPUT_PARSERS: readonly OutputParser[] = [
  yunet,
  scrfd,
  retinaNet,
  priorBoxes,
  detectNet,
  maskRcnn,
  detectionOutputs,
  selectedBoxes,
  detr,
  endToEnd,
  batchRows,
  yolox,
  yoloPose,
  yoloObb,
  yolov8,
  distribution,
  splitDistribution,
  yolov5,
  yolov5Landmarks,
  scoresBoxes,
  fastestDet,
  yolov2,
  yoloAnchors,
  deepstreamYolo,
];
