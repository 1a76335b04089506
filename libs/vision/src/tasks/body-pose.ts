import { floatsOf } from '../parsers/shape.ts';
import type { TensorData, TensorInfo } from '../parsers/types.ts';
import { unexpectedOutput } from '../errors.ts';
import { assemblePeople, type Maps } from './part-affinity.ts';
import { OPENPOSE_18, TRT_POSE_18, type Skeleton } from './skeletons.ts';
import type { TaskParser } from './types.ts';

/** Least score of a joint where none is configured, as OpenPose. */
const JOINT_THRESHOLD = 0.1;

/**
 * Bodies of several people from heat maps of joints and part affinity fields, channels first or last, the fields in
 * the same or another resolution: OpenPose (19 heat maps with the background, 38 fields), TAO BodyPoseNet (the same,
 * channels last), trt_pose (18 heat maps, 42 fields).
 */
export const bodyPose: TaskParser = {
  name: 'bodypose2d',
  aliases: ['body-pose', 'openpose', 'trt-pose', 'bodyposenet', 'part-affinity-fields', 'NvDsInferParseBodyPose'],
  task: 'pose',
  source: 'CMU-Perceptual-Computing-Lab/openpose; NVIDIA-AI-IOT/trt_pose; arXiv:1611.08050',

  match(outputs) {
    const heads = headsOf(outputs);
    if (heads === undefined) return undefined;
    return {
      score: 0.9,
      reason: `heat maps of ${heads.skeleton.names.length} joints and ${heads.skeleton.limbs.length} part affinity fields`,
    };
  },

  create(outputs, net, { componentId, threshold }) {
    const heads = headsOf(outputs);
    if (heads === undefined) throw new RangeError('these outputs are not heat maps and part affinity fields');
    return (tensors, batchIndex, fit) => {
      const poses = assemblePeople(
        mapsOf(tensors, heads.heat, heads.last, batchIndex),
        mapsOf(tensors, heads.fields, heads.last, batchIndex),
        {
          skeleton: heads.skeleton,
          threshold: threshold || JOINT_THRESHOLD,
          fit,
          networkWidth: net.width,
          networkHeight: net.height,
          componentId,
        },
      );
      return { task: 'pose', poses };
    };
  },
};

interface Heads {
  readonly heat: number;
  readonly fields: number;
  /** Channels last. */
  readonly last: boolean;
  readonly skeleton: Skeleton;
}

function headsOf(outputs: readonly TensorInfo[]): Heads | undefined {
  for (const last of [false, true]) {
    const axis = last ? 3 : 1;
    const find = (...channels: number[]): number =>
      outputs.findIndex(({ dims }) => dims.length === 4 && channels.includes(dims[axis] ?? 0));
    const trt = { heat: find(18), fields: find(42), last, skeleton: TRT_POSE_18 };
    if (trt.heat >= 0 && trt.fields >= 0) return trt;
    const openPose = { heat: find(19, 18), fields: find(38), last, skeleton: OPENPOSE_18 };
    if (openPose.heat >= 0 && openPose.fields >= 0) return openPose;
  }
  return undefined;
}

function mapsOf(tensors: readonly TensorData[], index: number, last: boolean, batchIndex: number): Maps {
  const dims = tensors[index]?.dims ?? [];
  const [, a = 0, b = 0, c = 0] = dims;
  if (dims.length !== 4) throw unexpectedOutput(`output ${tensors[index]?.name ?? index} should have 4 dimensions`);
  const [channels, rows, columns] = last ? [c, a, b] : [a, b, c];
  return {
    data: floatsOf(tensors, index),
    base: batchIndex * channels * rows * columns,
    rows,
    columns,
    perChannel: last ? 1 : rows * columns,
    perRow: last ? columns * channels : columns,
    perColumn: last ? channels : 1,
  };
}
