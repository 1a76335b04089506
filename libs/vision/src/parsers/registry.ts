import { detectionOutputs } from './detection-outputs.ts';
import { batchRows, deepstreamYolo, endToEnd } from './detection-rows.ts';
import { fastestDet } from './fastestdet.ts';
import { scoresBoxes } from './scores-boxes.ts';
import type { OutputParser } from './types.ts';
import { yolov5Landmarks } from './yolov5-landmarks.ts';
import { yolov5 } from './yolov5.ts';
import { yolov8 } from './yolov8.ts';
import { yolox } from './yolox.ts';
import { yunet } from './yunet.ts';

/** All parsers. Of equal matches the first wins. */
export const OUTPUT_PARSERS: readonly OutputParser[] = [
  yunet,
  detectionOutputs,
  endToEnd,
  batchRows,
  yolox,
  yolov8,
  yolov5,
  yolov5Landmarks,
  scoresBoxes,
  fastestDet,
  deepstreamYolo,
];
