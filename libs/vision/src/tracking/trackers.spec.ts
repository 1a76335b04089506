import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Box, Detection } from '../detection.ts';
import { assign } from './assignment.ts';
import { TRACKER_NAMES, createTracker, trackerName } from './create.ts';
import { PairList } from './pairs.ts';
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

describe.each(TRACKER_NAMES)('%s, bad input', (name) => {
  test('boxes that are none, scores that are none: no id, and nothing else suffers', () => {
    const bad = [
      detection({ left: NaN, top: 0, width: 10, height: 10 }),
      detection({ left: 0, top: 0, width: -10, height: 10 }),
      detection({ left: 0, top: 0, width: 0, height: 0 }),
      detection({ left: 0, top: Infinity, width: 10, height: 10 }),
      detection({ left: -1e300, top: 0, width: 1e301, height: 10 }),
      detection(at(0), { confidence: NaN }),
    ];
    const tracker = createTracker(name);
    for (let frame = 0; frame < 5; frame += 1) {
      const ids = tracker.update([...bad, detection(at(frame * 3))], frame * FRAME_US).map((each) => each.trackingId);
      expect(ids).toEqual([-1, -1, -1, -1, -1, -1, 1]);
    }
    expect(tracker.trackCount).toBe(1);
  });

  test('time that jumps: back, far ahead, not a number', () => {
    const tracker = createTracker(name);
    const times = [0, 40_000, 3_600_000_000, NaN, 10, 50_000, Infinity, 90_000];
    const ids = times.map((time) => tracker.update([detection(at(100))], time)[0]?.trackingId);
    expect(new Set(ids)).toEqual(new Set([1]));
  });

  test('a track out of sight ends although the time stepped back', () => {
    const tracker = createTracker(name, { maxAgeUs: 100_000 });
    tracker.update([detection(at(100))], 10_000_000);
    tracker.update([], 0);
    for (let frame = 1; frame < 5; frame += 1) tracker.update([], frame * FRAME_US);
    expect(tracker.trackCount).toBe(0);
  });

  test('10,000 boxes, spread and on top of each other, are answered in bounded time', () => {
    const spread = Array.from({ length: 10_000 }, (_, i) => detection(at((i % 100) * 50, Math.floor(i / 100) * 50)));
    const stacked = Array.from({ length: 10_000 }, () => detection(at(10)));
    const tracker = createTracker(name);
    const before = process.cpuUsage().user;
    for (const [frame, boxes] of [spread, stacked, spread].entries()) {
      const ids = tracker.update(boxes, frame * FRAME_US).map((each) => each.trackingId);
      expect(ids).toHaveLength(10_000);
      const given = ids.filter((id) => id > 0);
      expect(new Set(given).size).toBe(given.length);
    }
    expect(tracker.trackCount).toBeLessThanOrEqual(2000);
    // Half a second here; the limit only catches growth with the square or cube of the number. CPU time: others may be busy.
    expect((process.cpuUsage().user - before) / 1e6).toBeLessThan(10);
  });

  test('prediction moves what was seen, and changes nothing', () => {
    const scene = Array.from({ length: 12 }, (_, i) => [detection(at(i * 10)), detection(at(300, 200))]);
    const tracker = createTracker(name);
    const ids = scene.map((detections, frame) => {
      const given = tracker.update(detections, frame * FRAME_US).map((each) => each.trackingId);
      tracker.predict(frame * FRAME_US + FRAME_US / 2);
      return given;
    });
    expect(ids).toEqual(idsOf(createTracker(name), scene));
    const later = tracker.predict(12 * FRAME_US);
    expect(later.map(({ trackingId, label }) => [trackingId, label])).toEqual([
      [1, 'class-0'],
      [2, 'class-0'],
    ]);
    const expected = name === 'iou' ? 110 : 120;
    expect(Math.abs(later[0]!.box.left - expected)).toBeLessThan(2);
    tracker.update([], 12 * FRAME_US);
    expect(tracker.predict(13 * FRAME_US)).toEqual([]);
  });

  test('ids stay numbers beyond 32 bits', () => {
    const tracker = createTracker(name, { firstId: 2 ** 40 });
    expect(tracker.update([detection(at(0))], 0)[0]?.trackingId).toBe(2 ** 40);
  });

  test('other classes than those asked for are left alone', () => {
    const tracker = createTracker(name, { onlyClasses: [3] });
    const both = [detection(at(0), { classId: 2 }), detection(at(0), { classId: 3 })];
    expect(tracker.update(both, 0).map(({ trackingId }) => trackingId)).toEqual([-1, 1]);
  });
});

describe('options', () => {
  test('points keep their place in a predicted box', () => {
    const tracker = createTracker('iou');
    tracker.update([{ ...detection(at(100)), keypoints: [{ x: 110, y: 10, score: 0.5 }] }], 0);
    expect(tracker.predict(FRAME_US)[0]?.keypoints).toEqual([{ x: 110, y: 10, score: 0.5 }]);
  });

  test('smooth boxes lie between what was expected and what was seen', () => {
    const tracker = createTracker('sort', { smoothBoxes: true });
    const jitter = [0, 4, 0, 4, 0, 4, 0, 4, 0, 4];
    const lefts = jitter.map((left, i) => tracker.update([detection(at(100 + left))], i * FRAME_US)[0]!.box.left);
    const last = lefts.slice(-4);
    expect(Math.max(...last) - Math.min(...last)).toBeLessThan(3.5);
  });

  test('a second box on an object starts no track where that is asked', () => {
    const twice = [detection(at(0)), detection(at(2))];
    const tracker = createTracker('bytetrack', { maxOverlapToStart: 0.5 });
    expect(idsOf(tracker, [[detection(at(0))], twice])).toEqual([[1], [1, -1]]);
    expect(idsOf(createTracker('bytetrack'), [[detection(at(0))], twice])).toEqual([[1], [1, 2]]);
  });

  test('the track that is out of sight longest makes room', () => {
    const tracker = createTracker('sort', { maxTracks: 2 });
    const ids = idsOf(tracker, [
      [detection(at(0)), detection(at(100))],
      [detection(at(0))],
      [detection(at(0)), detection(at(300))],
    ]);
    expect(ids).toEqual([[1, 2], [1], [1, 3]]);
    expect(tracker.trackCount).toBe(2);
  });

  test('a file of DeepStream: ages in frames become time', () => {
    const spec = { runsAs: 'sort', tuning: { maxAgeFrames: 2, minHits: 1 } } as const;
    const gap = [[detection(at(0))], [], [], [detection(at(0))]];
    expect(idsOf(createTracker(spec, { frameIntervalUs: FRAME_US }), gap).at(-1)).toEqual([2]);
    expect(idsOf(createTracker(spec, { frameIntervalUs: 2 * FRAME_US }), gap).at(-1)).toEqual([1]);
  });
});

describe('embeddings', () => {
  const red = Float32Array.of(1, 0);
  const blue = Float32Array.of(0, 2);

  test.each(['deepsort', 'nvdcf'] as const)('%s tells crossing objects apart by their looks', (name) => {
    const tracker = createTracker(name);
    const frame = [detection(at(100)), detection(at(104))];
    const [first, second] = tracker.update(frame, 0, [red, blue]);
    for (let i = 1; i < 6; i += 1) tracker.update(frame, i * FRAME_US, [red, blue]);
    // They change places from one frame to the next: only their looks tell.
    const swapped = tracker.update(frame, 6 * FRAME_US, [blue, red]);
    expect(swapped.map(({ trackingId }) => trackingId)).toEqual([second!.trackingId, first!.trackingId]);
    const byPlace = createTracker('bytetrack');
    byPlace.update(frame, 0, [red, blue]);
    expect(byPlace.update(frame, FRAME_US, [blue, red]).map(({ trackingId }) => trackingId)).toEqual([1, 2]);
  });

  test.each(['deepsort', 'nvdcf'] as const)('%s does without: none, zeros, not numbers, another length', (name) => {
    const tracker = createTracker(name);
    const object = [detection(at(100))];
    const odd = [undefined, Float32Array.of(0, 0), Float32Array.of(NaN, 1), Float32Array.of(1, 2, 3)];
    const ids = odd.map((embedding, i) => tracker.update(object, i * FRAME_US, [embedding])[0]?.trackingId);
    expect(ids).toEqual([1, 1, 1, 1]);
    expect(tracker.update(object, 4 * FRAME_US, [])[0]?.trackingId).toBe(1);
  });
});

describe('bytetrack', () => {
  test('follows a fast object whose boxes do not overlap once it knows the speed', () => {
    const step = 30;
    const frames = Array.from({ length: 12 }, (_, i) => [detection(at(i * step))]);
    expect(new Set(idsOf(createTracker('bytetrack', { iouThreshold: 0.1 }), frames).flat()).size).toBe(1);
    // Three frames without detection: 120 pixels further, three boxes away.
    const gap = [...frames, [], [], [], [detection(at(15 * step))]];
    expect(idsOf(createTracker('sort', { iouThreshold: 0.1 }), gap).at(-1)).toEqual([1]);
    expect(idsOf(createTracker('nvdcf'), gap).at(-1)).toEqual([1]);
    expect(idsOf(createTracker('iou', { iouThreshold: 0.1 }), gap).at(-1)).toEqual([2]);
  });

  test('a weak detection continues a track but starts none', () => {
    const weak = detection(at(2), { confidence: 0.2 });
    const tracker = createTracker('bytetrack');
    expect(idsOf(tracker, [[detection(at(0))], [weak], [detection(at(4))]])).toEqual([[1], [1], [1]]);
    expect(idsOf(createTracker('bytetrack'), [[weak], [weak]])).toEqual([[-1], [-1]]);
  });

  test('two objects that cross keep their ids', () => {
    const frames = Array.from({ length: 40 }, (_, i) => [detection(at(i * 6)), detection(at(240 - i * 6, 25))]);
    const ids = idsOf(createTracker('light-tracker'), frames);
    expect(ids.at(-1)).toEqual(ids[0]);
  });
});

function pairsOf(similarity: readonly number[], columns: number, least: number): PairList {
  const pairs = new PairList();
  similarity.forEach((score, at) => {
    if (score >= least) pairs.push(Math.floor(at / columns), at % columns, score);
  });
  return pairs;
}

describe('assign', () => {
  test('gives the best sum, not the best pair', () => {
    expect([...assign(pairsOf([0.9, 0.8, 0.8, 0.1], 2, 0.05), 2, 2)]).toEqual([1, 0]);
  });

  test('nothing to pair', () => {
    expect([...assign(new PairList(), 2, 0)]).toEqual([-1, -1]);
    expect([...assign(new PairList(), 0, 3)]).toEqual([]);
  });

  test('is as good as trying all', () => {
    const side = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(side, side, fc.infiniteStream(fc.nat(100)), (rows, columns, values) => {
        const similarity = Array.from({ length: rows * columns }, () => values.next().value / 100);
        const columnOf = [...assign(pairsOf(similarity, columns, 0.3), rows, columns)];
        const taken = columnOf.filter((column) => column >= 0);
        expect(new Set(taken).size).toBe(taken.length);
        const sum = columnOf.reduce((total, c, r) => total + (c < 0 ? 0 : similarity[r * columns + c]!), 0);
        expect(columnOf.every((c, r) => c < 0 || similarity[r * columns + c]! >= 0.3)).toBe(true);
        expect(sum).toBeCloseTo(bestSum(similarity, rows, columns, 0, new Set()), 9);
      }),
    );
  });

  test('a group too large for the exact way still gives each column once', () => {
    const side = 400;
    const similarity = Array.from({ length: side * side }, (_, at) => 0.5 + ((at * 7919) % 997) / 2000);
    const columnOf = [...assign(pairsOf(similarity, side, 0.1), side, side)];
    expect(new Set(columnOf).size).toBe(side);
  });
});

function bestSum(similarity: readonly number[], rows: number, columns: number, r: number, used: Set<number>): number {
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
  expect(trackerName('DeepSORT')).toBe('deepsort');
  expect(trackerName('klt')).toBeUndefined();
});
