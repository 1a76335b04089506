import { dimOf, floatsOf, isRequested } from '../parsers/shape.ts';
import type { NetworkInfo, TensorInfo } from '../parsers/types.ts';
import type { Keypoint } from '../detection.ts';
import type { ModelResult } from '../results.ts';
import { MISSING, poseOf, sourceKeypoint } from './poses.ts';
import { COCO_17 } from './skeletons.ts';
import { vectorLength } from './vectors.ts';
import type { TaskParser } from './types.ts';

/** Names of so many points, where they have any. */
function namesOf(count: number, labels: readonly string[]): readonly string[] {
  if (labels.length === count) return labels;
  return count === 17 ? COCO_17 : [];
}

function result(keypoints: readonly Keypoint[], labels: readonly string[], componentId: number): ModelResult {
  const pose = poseOf(keypoints, namesOf(keypoints.length, labels), componentId);
  return { task: 'pose', poses: pose === undefined ? [] : [pose] };
}

/**
 * One body or face a picture, a heat map `[batch, points, rows, columns]` for each point: the highest cell, moved a
 * quarter of a cell towards its higher neighbour.
 */
export const keypointHeatmaps: TaskParser = {
  name: 'keypoint-heatmaps',
  aliases: ['simple-baselines', 'hrnet', 'vitpose', 'landmark-heatmaps'],
  task: 'pose',
  source: 'microsoft/human-pose-estimation.pytorch, lib/core/inference.py (get_final_preds)',

  match(outputs, net) {
    const [output] = outputs;
    if (outputs.length !== 1 || output?.dims.length !== 4) return undefined;
    const [, points = 0, rows = 0, columns = 0] = output.dims;
    if (points < 1 || rows < 8 || columns < 8) return undefined;
    const quarter = rows * 4 === net.height && columns * 4 === net.width;
    return { score: quarter && points === 17 ? 0.7 : 0.25, reason: `one output of ${points} heat maps` };
  },

  create(_outputs, net, { labels, componentId, threshold = 0 }) {
    return (tensors, batchIndex, fit) => {
      const data = floatsOf(tensors, 0);
      const points = dimOf(tensors, 0, 1);
      const rows = dimOf(tensors, 0, 2);
      const columns = dimOf(tensors, 0, 3);
      const keypoints = Array.from({ length: points }, (_, point) => {
        const base = (batchIndex * points + point) * rows * columns;
        let best = 0;
        for (let i = 1; i < rows * columns; i += 1) {
          if ((data[base + i] as number) > (data[base + best] as number)) best = i;
        }
        const score = Math.min(1, data[base + best] as number);
        if (!(score > 0 && score >= threshold)) return MISSING;
        const x = best % columns;
        const y = Math.floor(best / columns);
        const at = (dx: number, dy: number): number => data[base + (y + dy) * columns + x + dx] as number;
        const dx = x > 0 && x < columns - 1 ? Math.sign(at(1, 0) - at(-1, 0)) * 0.25 : 0;
        const dy = y > 0 && y < rows - 1 ? Math.sign(at(0, 1) - at(0, -1)) * 0.25 : 0;
        return sourceKeypoint(((x + dx) / columns) * net.width, ((y + dy) / rows) * net.height, score, fit);
      });
      return result(keypoints, labels, componentId);
    };
  },
};

/** RTMPose: where a point lies on each axis, as two classifications `[batch, points, bins]`. */
export const simcc: TaskParser = {
  name: 'simcc',
  aliases: ['rtmpose'],
  task: 'pose',
  source: 'open-mmlab/mmpose, mmpose/codecs/simcc_label.py; arXiv:2107.03332',

  match(outputs) {
    const [x, y] = simccOf(outputs);
    return x === undefined || y === undefined ? undefined : { score: 0.9, reason: 'outputs simcc_x and simcc_y' };
  },

  create(outputs, net, { labels, componentId, threshold = 0 }) {
    const [xIndex = 0, yIndex = 1] = simccOf(outputs);
    return (tensors, batchIndex, fit) => {
      const points = dimOf(tensors, xIndex, 1);
      const along = (index: number): { at: Int32Array; score: Float32Array; bins: number } => {
        const data = floatsOf(tensors, index);
        const bins = dimOf(tensors, index, 2);
        const at = new Int32Array(points);
        const score = new Float32Array(points);
        for (let point = 0; point < points; point += 1) {
          const base = (batchIndex * points + point) * bins;
          let best = 0;
          for (let i = 1; i < bins; i += 1) if ((data[base + i] as number) > (data[base + best] as number)) best = i;
          at[point] = best;
          score[point] = data[base + best] as number;
        }
        return { at, score, bins };
      };
      const x = along(xIndex);
      const y = along(yIndex);
      const keypoints = Array.from({ length: points }, (_, point) => {
        const score = Math.min(1, x.score[point] as number, y.score[point] as number);
        if (!(score > 0 && score >= threshold)) return MISSING;
        const px = ((x.at[point] as number) / x.bins) * net.width;
        return sourceKeypoint(px, ((y.at[point] as number) / y.bins) * net.height, score, fit);
      });
      return result(keypoints, labels, componentId);
    };
  },
};

function simccOf(outputs: readonly TensorInfo[]): [number | undefined, number | undefined] {
  const find = (pattern: RegExp): number | undefined => {
    const index = outputs.findIndex(({ name, dims }) => dims.length === 3 && pattern.test(name));
    return index < 0 ? undefined : index;
  };
  return [find(/simcc_?x/i), find(/simcc_?y/i)];
}

/** MoveNet single pose: `[1, 1, 17, 3]` with y, x (fractions of the input) and score. */
export const movenet: TaskParser = {
  name: 'movenet',
  aliases: ['movenet-lightning', 'movenet-thunder'],
  task: 'pose',
  source: 'tensorflow/hub, MoveNet SinglePose (google/movenet/singlepose)',

  match(outputs) {
    const [, one, points, values] = outputs[0]?.dims ?? [];
    if (outputs.length !== 1 || one !== 1 || values !== 3 || points !== 17) return undefined;
    return { score: 0.9, reason: 'one output of 17 points with 3 values' };
  },

  create(_outputs, net, { labels, componentId, threshold = 0 }) {
    return (tensors, batchIndex, fit) => {
      const data = floatsOf(tensors, 0);
      const points = dimOf(tensors, 0, 2);
      const keypoints = Array.from({ length: points }, (_, point) => {
        const at = (batchIndex * points + point) * 3;
        const score = data[at + 2] as number;
        if (!(score > 0 && score >= threshold)) return MISSING;
        return sourceKeypoint((data[at + 1] as number) * net.width, (data[at] as number) * net.height, score, fit);
      });
      return result(keypoints, labels, componentId);
    };
  },
};

const LANDMARKS = ['landmarks', 'face-landmarks', 'pfld', 'facial-landmarks'] as const;

/**
 * Landmarks as plain coordinates: `[batch, 2 * points]`, x then y, in fractions of the input or in its pixels (told
 * apart by their size). By name only: an embedding looks the same.
 */
export const landmarks: TaskParser = {
  name: LANDMARKS[0],
  aliases: LANDMARKS.slice(1),
  task: 'pose',
  source: 'polarisZhao/PFLD-pytorch; OpenVINO open_model_zoo, landmarks-regression-retail-0009',

  match(outputs, net: NetworkInfo) {
    const index = landmarkOutput(outputs);
    const length = outputs[index] === undefined ? undefined : vectorLength(outputs[index]);
    if (length === undefined || !isRequested(net, ...LANDMARKS)) return undefined;
    return { score: 0.9, reason: `an output of ${length / 2} points` };
  },

  create(outputs, net, { labels, componentId }) {
    const index = landmarkOutput(outputs);
    return (tensors, batchIndex, fit) => {
      const data = floatsOf(tensors, index);
      const length = (tensors[index]?.dims ?? []).slice(1).reduce((a, b) => a * b, 1);
      const own = data.subarray(batchIndex * length, (batchIndex + 1) * length);
      const pixels = own.some((value) => Math.abs(value) > 2);
      const keypoints = Array.from({ length: length >> 1 }, (_, point) => {
        const x = own[2 * point] as number;
        const y = own[2 * point + 1] as number;
        if (!Number.isFinite(x + y)) return MISSING;
        return sourceKeypoint(pixels ? x : x * net.width, pixels ? y : y * net.height, 1, fit);
      });
      return result(keypoints, labels, componentId);
    };
  },
};

/** The output with the most numbers: PFLD also has one of features. */
function landmarkOutput(outputs: readonly TensorInfo[]): number {
  const named = outputs.findIndex(({ name }) => /landmark|points|pts/i.test(name));
  return named >= 0 ? named : outputs.findIndex((output) => (vectorLength(output) ?? 1) % 2 === 0);
}
