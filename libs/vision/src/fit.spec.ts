import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CandidateList } from './candidates.ts';
import { candidateBox, fitPicture, toDetections } from './fit.ts';

describe('fitPicture', () => {
  test.each([
    // source, network, keepAspect, symmetric -> width, height, offsetX, offsetY
    [1, 1, 416, 416, true, true, 416, 416, 0, 0],
    [1, 10_000, 416, 416, true, true, 1, 416, 207, 0],
    [640, 360, 416, 416, false, true, 416, 416, 0, 0],
    [640, 360, 416, 416, true, false, 416, 234, 0, 0],
    [640, 360, 416, 416, true, true, 416, 234, 0, 91],
    [1920, 1080, 320, 320, true, true, 320, 180, 0, 70],
    [427, 640, 320, 240, true, true, 160, 240, 80, 0],
    [640, 425, 416, 416, true, true, 416, 276, 0, 70],
    [641, 480, 641, 481, true, true, 641, 480, 0, 0],
  ])('%dx%d in %dx%d, aspect %s, centred %s', (sw, sh, nw, nh, keepAspect, symmetric, width, height, x, y) => {
    const fit = fitPicture({
      sourceWidth: sw,
      sourceHeight: sh,
      networkWidth: nw,
      networkHeight: nh,
      keepAspect,
      symmetric,
    });
    expect(fit).toMatchObject({ width, height, offsetX: x, offsetY: y, scaleX: width / sw, scaleY: height / sh });
  });

  test('a box goes to the network and back', () => {
    const side = fc.integer({ min: 1, max: 4000 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 16, max: 1280 }),
        fc.boolean(),
        fc.boolean(),
        (sw, sh, net, keep, mid) => {
          const fit = fitPicture({
            sourceWidth: sw,
            sourceHeight: sh,
            networkWidth: net,
            networkHeight: net,
            keepAspect: keep,
            symmetric: mid,
          });
          expect(fit.width).toBeLessThanOrEqual(net);
          expect(fit.offsetX + fit.width).toBeLessThanOrEqual(net);
          const list = new CandidateList();
          const box = { left: sw * 0.25, top: sh * 0.5, width: sw * 0.5, height: sh * 0.25 };
          list.push(
            box.left * fit.scaleX + fit.offsetX,
            box.top * fit.scaleY + fit.offsetY,
            (box.left + box.width) * fit.scaleX + fit.offsetX,
            (box.top + box.height) * fit.scaleY + fit.offsetY,
            1,
            0,
          );
          const back = candidateBox(list, 0, fit)!;
          // Corners are 32-bit floats: a network pixel of a large picture is many source pixels.
          const slack = (Math.max(sw, sh) / Math.min(fit.width, fit.height)) * 1e-3;
          for (const key of ['left', 'top', 'width', 'height'] as const)
            expect(Math.abs(back[key] - box[key])).toBeLessThan(slack);
        },
      ),
    );
  });
});

test('detections are clipped, named, and none lies in the padding', () => {
  const fit = fitPicture({
    sourceWidth: 640,
    sourceHeight: 360,
    networkWidth: 416,
    networkHeight: 416,
    keepAspect: true,
    symmetric: true,
  });
  const list = new CandidateList();
  list.reset(1);
  list.push(-20, 81, 208, 208, 0.9, 0);
  list.push(0, 0, 416, 91, 0.8, 0);
  list.setPoint(list.push(0, 91, 416, 325, 0.7, 5), 0, 208, 208);
  const detections = toDetections(list, Int32Array.of(2, 0, 1), fit, { labels: ['person'], componentId: 4 });
  expect(detections.map(({ label, confidence }) => [label, Math.round(confidence * 10)])).toEqual([
    ['class-5', 7],
    ['person', 9],
  ]);
  expect(detections[0]).toMatchObject({
    classId: 5,
    trackingId: -1,
    componentId: 4,
    attributes: [],
    box: { left: 0, top: 0, width: 640, height: 360 },
  });
  expect(detections[0]?.points?.[0]?.x).toBeCloseTo(320, 4);
  expect(detections[0]?.points?.[0]?.y).toBeCloseTo(180, 4);
  expect(detections[1]?.box).toEqual({ left: 0, top: 0, width: 320, height: 180 });
});
