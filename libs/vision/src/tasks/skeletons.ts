/** Which joints make a body, and in which channels of the part affinity fields their connections are. */
export interface Skeleton {
  readonly names: readonly string[];
  /** From joint, to joint, channel of the x component, channel of the y component. */
  readonly limbs: readonly (readonly [from: number, to: number, x: number, y: number])[];
}

/** The 17 points of COCO. */
export const COCO_17: readonly string[] = [
  'nose',
  'left_eye',
  'right_eye',
  'left_ear',
  'right_ear',
  'left_shoulder',
  'right_shoulder',
  'left_elbow',
  'right_elbow',
  'left_wrist',
  'right_wrist',
  'left_hip',
  'right_hip',
  'left_knee',
  'right_knee',
  'left_ankle',
  'right_ankle',
];

/** Source: CMU-Perceptual-Computing-Lab/openpose (COCO body); TAO BodyPoseNet has the same order. */
export const OPENPOSE_18: Skeleton = {
  names: [
    'nose',
    'neck',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_hip',
    'right_knee',
    'right_ankle',
    'left_hip',
    'left_knee',
    'left_ankle',
    'right_eye',
    'left_eye',
    'right_ear',
    'left_ear',
  ],
  limbs: (
    [
      [1, 8],
      [8, 9],
      [9, 10],
      [1, 11],
      [11, 12],
      [12, 13],
      [1, 2],
      [2, 3],
      [3, 4],
      [2, 16],
      [1, 5],
      [5, 6],
      [6, 7],
      [5, 17],
      [1, 0],
      [0, 14],
      [0, 15],
      [14, 16],
      [15, 17],
    ] as const
  ).map(([from, to], i) => [from, to, 2 * i, 2 * i + 1] as const),
};

/** Source: NVIDIA-AI-IOT/trt_pose, tasks/human_pose/human_pose.json. Its fields have the y component first. */
export const TRT_POSE_18: Skeleton = {
  names: [...COCO_17, 'neck'],
  limbs: (
    [
      [15, 13],
      [13, 11],
      [16, 14],
      [14, 12],
      [11, 12],
      [5, 7],
      [6, 8],
      [7, 9],
      [8, 10],
      [1, 2],
      [0, 1],
      [0, 2],
      [1, 3],
      [2, 4],
      [3, 5],
      [4, 6],
      [17, 0],
      [17, 5],
      [17, 6],
      [17, 11],
      [17, 12],
    ] as const
  ).map(([from, to], i) => [from, to, 2 * i + 1, 2 * i] as const),
};
