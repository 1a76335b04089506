import { expect, test } from '@jest/globals';
import { detectionInFrame, poseInFrame } from './in-frame.ts';

const box = { left: 1, top: 2, width: 3, height: 4 };
const detection = { classId: 0, label: 'a', confidence: 1, box, trackingId: -1, componentId: 1, attributes: [] };
const mask = { width: 1, height: 1, data: Uint8Array.of(255) };

test('box, points and joints move with the view; a mask lies over its box', () => {
  const own = { ...detection, points: [{ x: 1, y: 2 }], keypoints: [{ x: 3, y: 4, score: 0.5 }], mask };
  expect(detectionInFrame(own, 10, 20)).toEqual({
    ...own,
    box: { left: 11, top: 22, width: 3, height: 4 },
    points: [{ x: 11, y: 22 }],
    keypoints: [{ x: 13, y: 24, score: 0.5 }],
  });
  expect(detectionInFrame(own, 0, 0)).toBe(own);
});

test('a pose moves with all of its points', () => {
  const pose = { score: 1, box, keypoints: [{ x: 3, y: 4, score: 0 }], names: ['nose'], componentId: 1 };
  expect(poseInFrame(pose, -1, 1)).toEqual({
    ...pose,
    box: { left: 0, top: 3, width: 3, height: 4 },
    keypoints: [{ x: 2, y: 5, score: 0 }],
  });
  expect(poseInFrame(pose, 0, 0)).toBe(pose);
});
