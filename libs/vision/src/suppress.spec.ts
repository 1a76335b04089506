import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CandidateList } from './candidates.ts';
import { Suppressor } from './suppress.ts';

type Row = readonly [x1: number, y1: number, x2: number, y2: number, score: number, classId: number];

function listOf(rows: readonly Row[]): CandidateList {
  const list = new CandidateList(2);
  list.reset();
  for (const row of rows) list.push(...row);
  return list;
}

function run(rows: readonly Row[], settings: Partial<Parameters<Suppressor['run']>[1]> = {}): number[] {
  return [...new Suppressor().run(listOf(rows), { mode: 'nms', iouThreshold: 0.5, ...settings })];
}

/** Greedy suppression as the textbook has it. */
function textbook(list: CandidateList, threshold: number, topK = Infinity): number[] {
  const order = Array.from({ length: list.count }, (_, i) => i).sort(
    (a, b) => list.score[b]! - list.score[a]! || a - b,
  );
  const kept: number[] = [];
  for (const i of order) {
    const same = kept.filter((k) => list.classId[k] === list.classId[i]);
    if (same.length < topK && same.every((k) => overlap(list, i, k) <= threshold)) kept.push(i);
  }
  return kept;
}

/** Without Math, which is slow inside of Jest. */
function overlap({ x1, y1, x2, y2 }: CandidateList, a: number, b: number): number {
  const w = (x2[a]! < x2[b]! ? x2[a]! : x2[b]!) - (x1[a]! > x1[b]! ? x1[a]! : x1[b]!);
  const h = (y2[a]! < y2[b]! ? y2[a]! : y2[b]!) - (y1[a]! > y1[b]! ? y1[a]! : y1[b]!);
  if (w <= 0 || h <= 0) return 0;
  const areas = (x2[a]! - x1[a]!) * (y2[a]! - y1[a]!) + (x2[b]! - x1[b]!) * (y2[b]! - y1[b]!);
  return (w * h) / (areas - w * h);
}

describe('CandidateList', () => {
  test('refuses and counts what is not a number, or no class', () => {
    const list = new CandidateList(1);
    expect(list.push(0, 0, 1, 1, Number.NaN, 0)).toBe(-1);
    expect(list.push(0, Number.NaN, 1, 1, 0.5, 0)).toBe(-1);
    expect(list.push(0, 0, Infinity, 1, 0.5, 0)).toBe(-1);
    expect(list.push(0, 0, 1, 1, 0.5, -1)).toBe(-1);
    expect(list.push(0, 0, 1, 1, 0.5, Number.NaN)).toBe(-1);
    expect(list.push(0, 0, 1, 1, 0.5, 3)).toBe(0);
    expect([list.count, list.invalid]).toEqual([1, 5]);
    list.reset();
    expect([list.count, list.invalid]).toEqual([0, 0]);
  });

  test('keeps boxes and points while it grows', () => {
    const list = new CandidateList(1);
    list.reset(2);
    for (let i = 0; i < 1000; i += 1) {
      expect(list.push(i, 0, i + 1, 1, i / 1000, i % 7)).toBe(i);
      list.setPoint(i, 1, i + 0.5, 0.25);
    }
    expect(list.count).toBe(1000);
    expect([list.x1[0], list.x2[999], list.classId[700]]).toEqual([0, 1000, 0]);
    expect([...list.points.subarray(999 * 4 + 2, 999 * 4 + 4)]).toEqual([999.5, 0.25]);
    const before = list.x1;
    list.reset(2);
    list.push(0, 0, 1, 1, 1, 0);
    expect(list.x1).toBe(before);
  });
});

describe('Suppressor', () => {
  const stack: Row[] = [
    [0, 0, 10, 10, 0.8, 0],
    [1, 0, 11, 10, 0.9, 0],
    [1, 0, 11, 10, 0.7, 1],
    [50, 50, 60, 60, 0.6, 0],
  ];

  test.each<[string, Row[], Partial<Parameters<Suppressor['run']>[1]>, number[]]>([
    ['nothing', [], {}, []],
    ['boxes without area', [[5, 5, 5, 5, 0.5, 0], [5, 5, 5, 5, 0.6, 0]], {}, [1, 0]], // prettier-ignore
    ['equal scores: the first wins', [[0, 0, 10, 10, 0.5, 0], [0, 0, 10, 10, 0.5, 0]], {}, [0]], // prettier-ignore
    ['negative scores sort below', [[0, 0, 1, 1, -0.5, 0], [5, 5, 6, 6, 0, 0], [8, 8, 9, 9, -0.1, 0]], {}, [1, 2, 0]], // prettier-ignore
    ['classes apart', stack, {}, [1, 2, 3]],
    ['classes together', stack, { classAgnostic: true }, [1, 3]],
    ['none', stack, { mode: 'none' }, [1, 0, 2, 3]],
    ['none, the best of each class', stack, { mode: 'none', topK: 1 }, [1, 2]],
    ['the best of each class', stack, { topK: 1 }, [1, 2]],
    ['the best of one class', stack, { topKs: new Map([[0, 1]]) }, [1, 2]],
    ['none left', stack, { topK: 0 }, []],
    ['a threshold of 1 keeps all', stack, { iouThreshold: 1 }, [1, 0, 2, 3]],
    ['a class with a threshold of its own', stack, { iouThresholds: new Map([[0, 0.95]]) }, [1, 0, 2, 3]],
    ['touching boxes do not overlap', [[0, 0, 10, 10, 0.5, 0], [10, 0, 20, 10, 0.6, 0]], { iouThreshold: 0 }, [1, 0]], // prettier-ignore
  ])('%s', (_name, rows, settings, expected) => {
    expect(run(rows, settings)).toEqual(expected);
  });

  test('is the textbook algorithm, in bins or not, and can be used again', () => {
    const suppressor = new Suppressor();
    const size = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 30, max: 160 }));
    const row = fc
      .tuple(fc.nat(300), fc.nat(300), size, size, fc.integer({ min: 1, max: 50 }), fc.nat(1))
      .map(([x, y, w, h, score, classId]): Row => [x, y, x + w, y + h, score / 50, classId]);
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 150, maxLength: 300, size: 'max' }),
        fc.constantFrom(0.01, 0.1, 0.3, 0.45, 0.7, 0.99),
        fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        (rows, iouThreshold, topK) => {
          const list = listOf(rows);
          const settings = topK === undefined ? {} : { topK };
          const kept = [...suppressor.run(list, { mode: 'nms', iouThreshold, ...settings })];
          expect(kept).toEqual(textbook(list, iouThreshold, topK));
        },
      ),
      { numRuns: 30, endOnFailure: true },
    );
  });

  test('ten thousand boxes of one class do not compare each with each', () => {
    const random = lehmer(7);
    const list = new CandidateList();
    for (let i = 0; i < 10_000; i += 1) {
      const [x, y] = [random() * 640, random() * 640];
      list.push(x, y, x + 5 + 10 * random(), y + 5 + 10 * random(), random(), 0);
    }
    const startMs = performance.now();
    expect(new Suppressor().run(list, { mode: 'nms', iouThreshold: 0.45 }).length).toBe(8336);
    // 5 ms in plain Node, some 200 inside of Jest; a plain loop takes Jest minutes.
    expect(performance.now() - startMs).toBeLessThan(3000);
  });
});

/** Park-Miller generator: the same numbers in each run. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
