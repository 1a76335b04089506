import type { Detection, Point, Pose } from '@vantage/vision';

/** From pixels of what was looked at to pixels of the camera's whole frame. Masks and maps lie over their box: they stay. */

export function detectionInFrame(detection: Detection, dx: number, dy: number): Detection {
  if (dx === 0 && dy === 0) return detection;
  const { box, points, keypoints } = detection;
  return {
    ...detection,
    box: { ...box, left: box.left + dx, top: box.top + dy },
    ...(points ? { points: points.map((point) => moved(point, dx, dy)) } : {}),
    ...(keypoints ? { keypoints: keypoints.map((point) => moved(point, dx, dy)) } : {}),
  };
}

export function poseInFrame(pose: Pose, dx: number, dy: number): Pose {
  if (dx === 0 && dy === 0) return pose;
  const { box, keypoints } = pose;
  return {
    ...pose,
    box: { ...box, left: box.left + dx, top: box.top + dy },
    keypoints: keypoints.map((point) => moved(point, dx, dy)),
  };
}

function moved<P extends Point>(point: P, dx: number, dy: number): P {
  return { ...point, x: point.x + dx, y: point.y + dy };
}
