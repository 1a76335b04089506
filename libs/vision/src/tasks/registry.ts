import { bodyPose } from './body-pose.ts';
import { classifier, multiLabel } from './classifier.ts';
import { ctcText } from './ctc-text.ts';
import { embedding } from './embedding.ts';
import { keypointHeatmaps, landmarks, movenet, simcc } from './keypoints.ts';
import { rawTensors } from './raw-tensors.ts';
import { segmentation } from './segmentation.ts';
import type { TaskParser } from './types.ts';

/** All parsers of heads that are no detectors. Of equal matches the first wins. */
export const TASK_PARSERS: readonly TaskParser[] = [
  bodyPose,
  simcc,
  movenet,
  segmentation,
  keypointHeatmaps,
  ctcText,
  classifier,
  multiLabel,
  embedding,
  landmarks,
  rawTensors,
];
