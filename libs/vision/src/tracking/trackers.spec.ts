import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Box, Detection } from '../detection.ts';
import { assign } from './assignment.ts';
import { ByteTracker } from './byte-tracker.ts';
import { TRACKER_NAMES, createTracker, trackerName } from './create.ts';
import type { Tracker } from './tracker.ts';

const FRAME_US = 40_000;

function detection(box: Box, { classId = 0, confidence = 0.9 } = {}): Detection {
  return { classId, label: `class-${classId}`, confidence, box, trackingId: -1, componentId: 1, attributes: [] };
}

function at(left: number, top = 0, size = 40): Box {
  return { left, top, width: size, height: size };
}

function idsOf(tracker: Tracker, frames: Detection[][]): number[][] {
  return frames.map((detections, i) => tracker.update(detections, i * FRAME_US).map(({ trackingId }) => trackingId));
}

describe.each(TRACKER_NAMES)('%s', (name) => {
  test('no detections, no tracks', () => {
    const tracker = createTracker(name);
    expect(tracker.update([], 0)).toEqual([]);
    expect(tracker.trackCount).toBe(0);
  });

  test('gives small stable ids at once and leaves the rest of a detection alone', () => {
    const tracker = createTracker(name, { firstId: 7 });
    const first = detection(at(0));
    const [tracked] = tracker.update([first], 0);
    expect(tracked).toEqual({ ...first, trackingId: 7 });
    expect(first.trackingId).toBe(-1);
    const frames = Array.from({ length: 20 }, (_, i) => [detection(at(200 - i * 3)), detection(at(i * 3))]);
    const rest = frames.map((detections, i) => tracker.update(detections, (i + 1) * FRAME_US));
    for (const [left, right] of rest) expect([left?.trackingId, right?.trackingId]).toEqual([8, 7]);
  });

  test('objects of two classes never share a track', () => {
    const tracker = createTracker(name);
    const ids = idsOf(tracker, [
      [detection(at(0), { classId: 0 })],
      [detection(at(0), { classId: 1 })],
      [detection(at(0), { classId: 0 }), detection(at(0), { classId: 1 })],
    ]);
    expect(ids).toEqual([[1], [2], [1, 2]]);
  });

  test('an object comes back to its id within the age limit, and not after it', () => {
    const tracker = createTracker(name, { maxAgeUs: 200_000 });
    const object = [detection(at(100))];
    expect(tracker.update(object, 0)[0]?.trackingId).toBe(1);
    tracker.update([], 100_000);
    expect(tracker.update(object, 180_000)[0]?.trackingId).toBe(1);
    tracker.update([], 200_000);
    tracker.update([], 500_000);
    expect(tracker.trackCount).toBe(0);
    expect(tracker.update(object, 540_000)[0]?.trackingId).toBe(2);
  });

  test('a slow camera keeps its tracks from frame to frame', () => {
    const tracker = createTracker(name, { maxAgeUs: 200_000 });
    expect(tracker.update([detection(at(100))], 0)[0]?.trackingId).toBe(1);
    expect(tracker.update([detection(at(102))], 5_000_000)[0]?.trackingId).toBe(1);
  });

  test('reset forgets tracks but not the last id', () => {
    const tracker = createTracker(name);
    tracker.update([detection(at(100))], 0);
    tracker.reset();
    expect(tracker.update([detection(at(100))], FRAME_US)[0]?.trackingId).toBe(2);
  });

  test('waits for as many hits as asked', () => {
    const tracker = createTracker(name, { minHits: 3 });
    const frames = Array.from({ length: 4 }, () => [detection(at(100))]);
    expect(idsOf(tracker, frames)).toEqual([[-1], [-1], [1], [1]]);
    // A track that is not confirmed does not survive a miss.
    const another = createTracker(name, { minHits: 2 });
    expect(idsOf(another, [[detection(at(0))], [], [detection(at(0))], [detection(at(0))]])).toEqual([
      [-1],
      [],
      [-1],
      [1],
    ]);
  });

  test('time that steps back loses nothing', () => {
    const tracker = createTracker(name);
    tracker.update([detection(at(100))], 10_000_000);
    expect(tracker.update([detection(at(100))], 0)[0]?.trackingId).toBe(1);
  });

  test('ids of a frame are unique, and a replay gives the same ones', () => {
    const box = fc.tuple(
      fc.nat(200),
      fc.nat(100),
      fc.integer({ min: 1, max: 80 }),
      fc.nat(1),
      fc.integer({ min: 1, max: 100 }),
    );
    const frames = fc.array(fc.array(box, { maxLength: 12 }), { maxLength: 12 });
    fc.assert(
      fc.property(frames, (boxes) => {
        const scene = boxes.map((frame) =>
          frame.map(([x, y, size, classId, score]) => detection(at(x, y, size), { classId, confidence: score / 100 })),
        );
        const ids = idsOf(createTracker(name), scene);
        expect(idsOf(createTracker(name), scene)).toEqual(ids);
        for (const frame of ids) {
          const given = frame.filter((id) => id !== -1);
          expect(new Set(given).size).toBe(given.length);
          expect(given.every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('ByteTracker', () => {
  test('follows a fast object whose boxes do not overlap once it knows the speed', () => {
    const step = 30;
    const frames = Array.from({ length: 12 }, (_, i) => [detection(at(i * step))]);
    expect(new Set(idsOf(createTracker('bytetrack', { iouThreshold: 0.1 }), frames).flat()).size).toBe(1);
    // Three frames without detection: 120 pixels further, three boxes away.
    const gap = [...frames, [], [], [], [detection(at(15 * step))]];
    expect(idsOf(createTracker('sort', { iouThreshold: 0.1 }), gap).at(-1)).toEqual([1]);
    expect(idsOf(createTracker('iou', { iouThreshold: 0.1 }), gap).at(-1)).toEqual([2]);
  });

  test('a weak detection continues a track but starts none', () => {
    const weak = detection(at(2), { confidence: 0.2 });
    const tracker = new ByteTracker();
    expect(idsOf(tracker, [[detection(at(0))], [weak], [detection(at(4))]])).toEqual([[1], [1], [1]]);
    expect(idsOf(new ByteTracker(), [[weak], [weak]])).toEqual([[-1], [-1]]);
  });

  test('two objects that cross keep their ids', () => {
    const frames = Array.from({ length: 40 }, (_, i) => [detection(at(i * 6)), detection(at(240 - i * 6, 25))]);
    const ids = idsOf(createTracker('light-tracker'), frames);
    expect(ids.at(-1)).toEqual(ids[0]);
  });
});

describe('assign', () => {
  test('gives the best sum, not the best pair', () => {
    expect([...assign(Float64Array.of(0.9, 0.8, 0.8, 0.1), 2, 2, 0.05)]).toEqual([1, 0]);
  });

  test('is as good as trying all', () => {
    const side = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(side, side, fc.infiniteStream(fc.nat(100)), (rows, columns, values) => {
        const similarity = Float64Array.from({ length: rows * columns }, () => values.next().value / 100);
        const columnOf = [...assign(similarity, rows, columns, 0.3)];
        const taken = columnOf.filter((column) => column >= 0);
        expect(new Set(taken).size).toBe(taken.length);
        const sum = columnOf.reduce((total, c, r) => total + (c < 0 ? 0 : similarity[r * columns + c]!), 0);
        expect(columnOf.every((c, r) => c < 0 || similarity[r * columns + c]! >= 0.3)).toBe(true);
        expect(sum).toBeCloseTo(bestSum(similarity, rows, columns, 0, new Set()), 9);
      }),
    );
  });
});

function bestSum(similarity: Float64Array, rows: number, columns: number, r: number, used: Set<number>): number {
  if (r === rows) return 0;
  let best = bestSum(similarity, rows, columns, r + 1, used);
  for (let c = 0; c < columns; c += 1) {
    const value = similarity[r * columns + c]!;
    if (used.has(c) || value < 0.3) continue;
    best = Math.max(best, value + bestSum(similarity, rows, columns, r + 1, new Set([...used, c])));
  }
  return best;
}

test('tracker names in any case', () => {
  expect(trackerName('Light-Tracker')).toBe('light-tracker');
  expect(trackerName('deepsort')).toBeUndefined();
});
